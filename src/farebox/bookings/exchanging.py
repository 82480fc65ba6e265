"""Giving people of a sold booking other seats: what was quoted is done.

The new seats are sold to the booking before the old ones are given up, in one transaction. Who changes gets a row on a
new item; the old rows stay, as what was given up.
"""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

import msgspec
from sqlalchemy import func, select

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.changes import ChangeQuote, Move, NewSeats, SeatChange
from farebox.bookings.errors import NotChangeable, SeatsGone
from farebox.bookings.events import BookingChanged
from farebox.bookings.giving_up import GivenUp, end_seats, free_seats
from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingRow
from farebox.bookings.open_returns import carry_open_returns
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ItemDescription, ItemOffer
from farebox.bookings.views import Booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.inventory import HoldLost, HoldNotFound, Want, confirm, get_hold, lock_holds, swap, transfer


async def change_seats(
    work: UnitOfWork, booking_id: UUID, quote: ChangeQuote, *, change_id: UUID, actor: Actor, holder: str
) -> Booking:
    """Do what was quoted: the new seats are sold to the booking, then the old ones given up.

    Money and tickets are for the caller, in the same unit of work (see `payments.change_booking`).

    Args:
        holder: whose the hold of the new seats is: the traveller's, or the booking's that waited for its money.

    Raises:
        NotChangeable: the booking is not what it was when it was quoted. Nothing was changed.
        SeatsGone: the new seats are not held any more. Nothing was changed.
    """
    change = quote.seats
    assert change is not None, "it was quoted as a change of seats"
    row = await get_row(work, booking_id, as_it_stands=True)
    if row.status != BookingStatus.CONFIRMED or row.price_revision != quote.revision:
        raise NotChangeable(booking_status=row.status)
    old = await work.session.get_one(BookingItemRow, change.item_id, populate_existing=True)
    if change.is_shorter:
        await lock_holds(work, [old.hold_id])
    else:
        await take_over(work, row, change, holder, also=[old.hold_id])
    moved = await add_item(work, row, change)
    was = msgspec.convert(old.description, ItemDescription)
    await carry_open_returns(work, {before.id: now.id for before, now in moved}, was, change.description)
    given_up = await end_seats(work, row, quote.passenger_ids, ended_as="changed")
    await free_seats(work, _without(given_up, change.offer) if change.is_shorter else given_up)
    if change.is_longer:
        await _join(work, change)
    await write_revision(work, row, quote.lines)
    status = BookingStatus(row.status)
    facts = {
        "change": str(change_id),
        "from": {"resource": str(old.resource_id), "seats": [before.seat_number for before, _ in moved]},
        "to": {"resource": str(change.offer.resource_id), "seats": [move.seat_number for move in change.moves]},
    }
    record(work, row.id, actor=actor, source=status, target=status, reason="changed", facts=facts)
    booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    work.publish(
        BookingChanged(
            booking_id=booking.id,
            reference=booking.reference,
            change_id=change_id,
            total_price=str(booking.total.amount),
            currency=booking.total.currency,
        )
    )
    return booking


async def take_over(
    work: UnitOfWork, row: BookingRow, change: NewSeats, holder: str, *, also: Sequence[UUID] = ()
) -> None:
    """The new seats are the booking's for good.

    Args:
        also: holds that are locked together with that of the new seats.

    Raises:
        SeatsGone: the new seats are not held any more. Nothing was changed.
    """
    await lock_holds(work, [*also, change.hold_id])
    try:
        # Asked again under the lock: another booking of the same traveller may have taken it over since it was quoted.
        await get_hold(work, change.hold_id, owner=holder)
        await confirm(work, change.hold_id)
    except (HoldLost, HoldNotFound):
        raise SeatsGone from None
    await transfer(work, change.hold_id, owner=f"booking:{row.id}")


async def _join(work: UnitOfWork, change: SeatChange) -> None:
    """Let the new hold have the legs, too, that were given up just now: nobody has seen them free.

    All these claims have been locked before, so nothing is locked out of order here.
    """
    offer = change.offer
    await swap(work, change.hold_id, [Want(offer.inventory_id, offer.units, offer.first_slot, offer.end_slot)])


def _without(given_up: Sequence[GivenUp], kept: ItemOffer) -> list[GivenUp]:
    """What is given up of a way of which a part is kept: the legs before and after that."""
    return [
        GivenUp(each.hold_id, replace(each.want, first_slot=first, end_slot=end))
        for each in given_up
        for first, end in ((each.want.first_slot, kept.first_slot), (kept.end_slot, each.want.end_slot))
        if first < end
    ]


async def add_item(
    work: UnitOfWork, row: BookingRow, change: NewSeats
) -> list[tuple[BookingPassengerRow, BookingPassengerRow]]:
    """The new item, with the same people on its seats: each as before and as now, in the order of the moves."""
    last = await work.session.scalar(
        select(func.max(BookingItemRow.position)).where(BookingItemRow.booking_id == row.id)
    )
    offer = change.offer
    item = BookingItemRow(
        id=change.new_item_id,
        booking_id=row.id,
        position=(last or 0) + 1,
        kind=offer.kind,
        hold_id=offer.hold_id,
        inventory_id=offer.inventory_id,
        units=list(offer.units),
        labels=[seat.label for seat in offer.seats],
        first_slot=offer.first_slot,
        end_slot=offer.end_slot,
        resource_id=offer.resource_id,
        operator_id=offer.operator_id,
        from_id=offer.from_id,
        to_id=offer.to_id,
        starts_at=change.description.origin.time,
        completes_at=change.completes_at,
        offer=msgspec.to_builtins(offer),
        description=msgspec.to_builtins(change.description),
        policy=msgspec.to_builtins(change.policy),
    )
    work.session.add(item)
    await work.session.flush()
    found = await work.session.scalars(
        select(BookingPassengerRow)
        .where(BookingPassengerRow.id.in_([move.passenger_id for move in change.moves]))
        .execution_options(populate_existing=True)
    )
    people = {person.id: person for person in found}
    moved = [
        (people[move.passenger_id], _moved(people[move.passenger_id], item.id, position, move))
        for position, move in enumerate(change.moves)
    ]
    work.session.add_all(now for _, now in moved)
    await work.session.flush()
    return moved


def _moved(person: BookingPassengerRow, item_id: UUID, position: int, move: Move) -> BookingPassengerRow:
    """The same person on another seat. What is sealed is sealed for its column, and so may be copied."""
    return BookingPassengerRow(
        id=new_id(),
        booking_id=person.booking_id,
        item_id=item_id,
        position=position,
        unit=move.unit,
        seat_number=move.seat_number,
        full_name=person.full_name,
        id_type=person.id_type,
        id_number=person.id_number,
        id_number_index=person.id_number_index,
        phone=person.phone,
        phone_index=person.phone_index,
        email=person.email,
        email_index=person.email_index,
        passenger_type=person.passenger_type,
        special_needs=person.special_needs,
    )
