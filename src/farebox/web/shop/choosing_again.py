"""From the review back to choosing: other seats of a ride, a further ride, or one less."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from litestar.response import Redirect

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingItem,
    BookingRequest,
    Contact,
    NotModifiable,
    PassengerDetails,
    create_booking,
    get_booking,
    reopen_choice,
)
from farebox.coaches import release_lock
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.inventory import HoldTerms
from farebox.web.pages import see_other
from farebox.web.shop.cards import card_of_item
from farebox.web.shop.finding import whole_number
from farebox.web.shop.picking import joined
from farebox.web.shop.stretches import Stretch, checkout_url
from farebox.wiring import Services


async def choose_again(
    work: UnitOfWork, booking_id: UUID, actor: Actor, services: Services, data: Mapping[str, Any]
) -> Redirect:
    """Give the pending booking up, but not its seats, and go where the choice goes on.

    Args:
        data: `trip` or `remove`: which ride, counted from 0; `more`: a further one.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    code = next((str(line.facts.get("code", "")) for line in booking.lines if line.label == "promotion"), "")
    removed = _named(booking, data.get("remove"))
    if removed and len(booking.items) == 1:
        return see_other(f"/bookings/{booking_id}/review")  # giving the only one up is cancelling
    try:
        booking = await reopen_choice(work, booking_id, actor=actor, terms=HoldTerms.of(services.settings))
    except NotModifiable:
        return see_other(f"/bookings/{booking_id}")
    if data.get("more"):
        return see_other(_further_url(booking, work.now))
    if removed:
        return await _without(work, booking, removed, actor, services, code)
    item = _named(booking, data.get("trip")) or booking.items[0]
    others = tuple(each.hold_id for each in booking.items if each is not item)
    stretch = Stretch(
        item.resource_id, item.from_id, item.to_id, len(item.units), others=others, people=str(booking_id)
    )
    return see_other(stretch.url("seats"))


async def _without(
    work: UnitOfWork, booking: Booking, removed: BookingItem, actor: Actor, services: Services, code: str
) -> Redirect:
    """The same booking without one of its rides, made anew, with the same promotion code."""
    await release_lock(work, removed.hold_id, actor=actor)
    left = [item for item in booking.items if item.id != removed.id]
    ids = tuple(item.hold_id for item in left)
    secrets = services.secrets
    contact = Contact(booking.contact.email.open(secrets), booking.contact.phone.open(secrets))
    people = tuple(person for item in left for person in _people(item, services))
    try:
        made = await create_booking(
            work,
            BookingRequest(ids, people, contact, promo_code=code),
            actor=actor,
            verticals=services.verticals,
            settings=services.settings,
            secrets=secrets,
            language=current_language(),
        )
    except Invalid:
        return see_other(checkout_url(ids, str(booking.id)))
    return see_other(f"/bookings/{made.id}/review")


def _people(item: BookingItem, services: Services) -> list[PassengerDetails]:
    secrets = services.secrets
    return [
        PassengerDetails(
            seat_number=person.seat_number,
            full_name=person.full_name,
            id_type=person.id_type,
            id_number=person.id_number.open(secrets),
            phone=person.phone.open(secrets),
            email=person.email.open(secrets) if person.email else None,
            passenger_type=person.passenger_type,
            special_needs=person.special_needs,
            hold_id=item.hold_id,
        )
        for person in item.passengers
    ]


def _named(booking: Booking, number: Any) -> BookingItem | None:
    place = whole_number(str(number or ""), len(booking.items))
    return booking.items[place] if place < len(booking.items) else None


def _further_url(booking: Booking, now: datetime) -> str:
    """The search for a ride from where the last one ends, on the day of its arrival."""
    last = max(booking.items, key=lambda item: item.completes_at)
    end = card_of_item(last).alight
    query = {
        "from": end.place or end.stop,
        "date": max(end.time, now.astimezone(end.time.tzinfo)).date().isoformat(),
        "travellers": max(len(item.units) for item in booking.items),
        "with": joined([item.hold_id for item in booking.items]),
        "people": booking.id,
    }
    return f"/?{urlencode(query)}"
