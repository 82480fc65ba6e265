"""Whose seats of a booking something is about: ticked on a page, carried along in addresses and forms."""

from collections.abc import Callable, Collection, Sequence
from uuid import UUID

from farebox.bookings import Booking, BookingItem
from farebox.core.crypto import Secrets
from farebox.web.pages import AnyRequest
from farebox.web.shop.booked import person_row
from farebox.web.shop.cards import card_of_item
from farebox.web.shop.finding import parse_id
from farebox.web.views.after import RideToPick, SeatToPick

MOST = 120
"""Seats of one booking that are looked at: more than any has."""


def picked_in(request: AnyRequest) -> list[UUID]:
    """The passengers ticked, or carried along; what is no id is passed over."""
    return ids_in(",".join(request.query_params.getall("passengers", [])))


def ids_in(text: str) -> list[UUID]:
    """Ids that stand in a text, separated by commas, each once."""
    found = (parse_id(each) for each in text.split(",")[:MOST])
    return list(dict.fromkeys(each for each in found if each))


def joined(ids: Sequence[UUID]) -> str:
    """Ids as forms and addresses carry them."""
    return ",".join(map(str, ids))


def returns_to_pick(booking: Booking, chosen: Collection[UUID], secrets: Secrets) -> tuple[SeatToPick, ...]:
    """Whose open returns there are to choose from."""
    people = {person.id: (person, item) for item in booking.items for person in item.passengers}
    found = [(each, *people[each.passenger_id]) for each in booking.open_returns]
    return tuple(
        SeatToPick(str(each.id), person_row(person, item.description, secrets), is_chosen=each.id in chosen)
        for each, person, item in found
    )


def rides_to_pick(
    booking: Booking, chosen: Collection[UUID], closed: Callable[[BookingItem], str], secrets: Secrets
) -> tuple[RideToPick, ...]:
    """All seats of a booking to choose from.

    Args:
        closed: why nothing can be done with the seats of an item; empty where it can.
    """
    return tuple(
        RideToPick(
            card_of_item(item),
            tuple(
                SeatToPick(
                    id=str(person.id),
                    person=person_row(person, item.description, secrets),
                    is_chosen=person.id in chosen and not reason,
                    closed=reason,
                )
                for person in item.passengers
            ),
        )
        for item in booking.items
        for reason in [closed(item)]
    )
