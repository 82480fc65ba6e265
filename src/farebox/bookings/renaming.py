"""Other names for people of a sold booking: a name that was misspelt, or somebody else who travels instead."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.changes import ChangeQuote, NewPerson
from farebox.bookings.changing import refuse_too_late
from farebox.bookings.creating import person_values
from farebox.bookings.details import PassengerDetails, check_passengers
from farebox.bookings.errors import NotChangeable, PassengerNotFound
from farebox.bookings.events import BookingRenamed
from farebox.bookings.models import BookingPassengerRow
from farebox.bookings.moving import fee_tax
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.views import BookedLine, Booking, BookingItem, IdType, Passenger
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid, NotAllowed
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.core.settings import Settings

RENAME_FEE: Final = N_("Seat {seat}, fee for another name")
"""Label of the price line of what another name costs. It stays with the seat, whatever is cancelled later."""


@dataclass(frozen=True, slots=True, repr=False)
class NewName:
    """Who travels instead, as typed. No `repr`, so that it does not end in a log.

    Attributes:
        phone, email: `None`: as before.
    """

    full_name: str
    id_type: IdType
    id_number: str
    phone: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class RenameWish:
    """Whom to rename, and how.

    Attributes:
        everywhere: on all trips of the booking that this person still has before them and may be renamed on.
    """

    passenger_id: UUID
    name: NewName
    everywhere: bool = True


async def quote_names(
    work: UnitOfWork, booking: Booking, wish: RenameWish, *, actor: Actor, settings: Settings, secrets: Secrets
) -> ChangeQuote:
    """What it costs to write another name on a person's tickets: the fee of each, under which its seat was bought.

    The type of passenger stays, and with it the fare.

    Raises:
        PassengerNotFound: nobody of this booking.
        NotChangeable: it is not confirmed, or it is too late.
        Invalid: the name or the document, field by field.
    """
    person = next((each for each in booking.passengers if each.id == wish.passenger_id), None)
    if person is None:
        raise PassengerNotFound
    item = next(item for item in booking.items if item.id == person.item_id)
    refuse_too_late(work, booking, item, item.policy.rename_until, actor=actor)
    seats = [(item, person)]
    if wish.everywhere:
        seats += await _elsewhere(work, booking, person, actor)
    details = _checked(wish.name, person, settings, secrets)
    fees = tuple(line for each, who in seats for line in _fee(booking, each, who))
    return ChangeQuote(
        revision=booking.revision,
        before=booking.total,
        gone=(),
        added=fees,
        lines=(*booking.lines, *fees),
        people=tuple(NewPerson(passenger_id=who.id, **person_values(details, secrets)) for _, who in seats),
    )


async def change_names(
    work: UnitOfWork, booking_id: UUID, quote: ChangeQuote, *, change_id: UUID, actor: Actor
) -> Booking:
    """Do what was quoted. Money and tickets are for the caller, in the same unit of work.

    Raises:
        NotChangeable: the booking is not what it was when it was quoted. Nothing was changed.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status != BookingStatus.CONFIRMED or row.price_revision != quote.revision:
        raise NotChangeable(booking_status=row.status)
    for person in quote.people:
        values = {name: getattr(person, name) for name in NewPerson.__struct_fields__ if name != "passenger_id"}
        await work.session.execute(
            update(BookingPassengerRow)
            .where(BookingPassengerRow.id == person.passenger_id, BookingPassengerRow.booking_id == booking_id)
            .values(values)
            .execution_options(synchronize_session=False)
        )
    if quote.added:
        await write_revision(work, row, quote.lines)
    row.updated_at = work.now
    status = BookingStatus(row.status)
    facts = {"change": str(change_id), "passengers": [str(person.passenger_id) for person in quote.people]}
    record(work, row.id, actor=actor, source=status, target=status, reason="renamed", facts=facts)
    work.publish(BookingRenamed(booking_id=row.id, reference=row.reference, change_id=change_id))
    return await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)


async def _elsewhere(
    work: UnitOfWork, booking: Booking, person: Passenger, actor: Actor
) -> list[tuple[BookingItem, Passenger]]:
    """The same person's other seats of the booking, as far as they may be renamed there now."""
    digest = select(BookingPassengerRow.id_number_index).where(BookingPassengerRow.id == person.id).scalar_subquery()
    same = await work.session.scalars(
        select(BookingPassengerRow.id).where(
            BookingPassengerRow.booking_id == booking.id,
            BookingPassengerRow.id != person.id,
            BookingPassengerRow.id_number_index == digest,
            BookingPassengerRow.full_name == person.full_name,
            BookingPassengerRow.ended_as.is_(None),
        )
    )
    ids = set(same)
    return [
        (item, each)
        for item in booking.items
        for each in item.passengers
        if each.id in ids and _may_rename(work, booking, item, actor)
    ]


def _may_rename(work: UnitOfWork, booking: Booking, item: BookingItem, actor: Actor) -> bool:
    try:
        refuse_too_late(work, booking, item, item.policy.rename_until, actor=actor)
    except (NotChangeable, NotAllowed):
        return False
    return True


def _checked(name: NewName, person: Passenger, settings: Settings, secrets: Secrets) -> PassengerDetails:
    before = person.email.open(secrets) if person.email else None
    typed = PassengerDetails(
        seat_number=person.seat_number,
        full_name=name.full_name,
        id_type=name.id_type,
        id_number=name.id_number,
        phone=person.phone.open(secrets) if name.phone is None else name.phone,
        email=before if name.email is None else name.email,
        passenger_type=person.passenger_type,
        special_needs=person.special_needs,
    )
    [details], errors = check_passengers([typed], region=settings.phone_region)
    if errors:
        raise Invalid([_without_place(error) for error in errors])
    return details


def _without_place(error: FieldError) -> FieldError:
    return FieldError(error.field.removeprefix("passengers.0."), error.code, error.message, **error.facts)


def _fee(booking: Booking, item: BookingItem, person: Passenger) -> Sequence[BookedLine]:
    amount = Money(item.policy.rename_fee_minor, booking.total.currency)
    if not amount:
        return ()
    own = [line for line in booking.lines if line.item_id == item.id and line.seat_number == person.seat_number]
    line = BookedLine(
        item_id=item.id,
        kind="fee",
        label=RENAME_FEE,
        facts={"seat": person.seat_number},
        seat_number=person.seat_number,
        amount=amount,
        tax_included=fee_tax(amount, own),
    )
    return (line,)
