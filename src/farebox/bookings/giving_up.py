"""Taking seats out of a booking that lives on: its people, its items, its clocks, and the seats themselves."""

from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Literal
from uuid import UUID

from sqlalchemy import func, select

from farebox.bookings.models import BookingItemRow, BookingPassengerRow, BookingRow, OpenReturnRow
from farebox.core.db import UnitOfWork
from farebox.inventory import HoldNotFound, Want, lock_holds, release_units


@dataclass(frozen=True, slots=True)
class GivenUp:
    """Units of a hold that the booking has no more, and that the hold still has."""

    hold_id: UUID
    want: Want


async def end_seats(
    work: UnitOfWork, row: BookingRow, passenger_ids: Collection[UUID], *, ended_as: Literal["cancelled", "changed"]
) -> list[GivenUp]:
    """Let some seats of a booking be former ones. It begins and ends with what is left of it.

    Args:
        row: the booking, locked by the caller.
        passenger_ids: whose seats; none of them has ended before.

    Returns:
        The units to be given back, sorted as holds are locked: see `free_seats`.
    """
    items = (
        await work.session.scalars(
            select(BookingItemRow)
            .where(BookingItemRow.booking_id == row.id, BookingItemRow.ended_as.is_(None))
            .order_by(BookingItemRow.hold_id, BookingItemRow.position)
            .execution_options(populate_existing=True)
        )
    ).all()
    people = (
        await work.session.scalars(
            select(BookingPassengerRow)
            .where(BookingPassengerRow.booking_id == row.id, BookingPassengerRow.id.in_(passenger_ids))
            .execution_options(populate_existing=True)
        )
    ).all()
    for person in people:
        person.ended_as, person.ended_at = ended_as, work.now
    given_up = []
    for item in items:
        units = {person.unit for person in people if person.item_id == item.id}
        if units:
            given_up.append(_shrink(work, item, units, ended_as))
    await set_clocks(work, row)
    return given_up


async def set_clocks(work: UnitOfWork, row: BookingRow) -> None:
    """Let a booking begin with the first of its rides, and be used up with the last of them and its open returns.

    Where nothing is left of it, its clocks stay as they were.

    Args:
        row: the booking, locked by the caller.
    """
    row.updated_at = work.now
    await work.session.flush()
    rides = select(func.min(BookingItemRow.starts_at), func.max(BookingItemRow.completes_at)).where(
        BookingItemRow.booking_id == row.id, BookingItemRow.ended_as.is_(None)
    )
    found = (await work.session.execute(rides.having(func.count() > 0))).one_or_none()
    if found is None:
        return
    until = await work.session.scalar(
        select(func.max(OpenReturnRow.valid_until)).where(
            OpenReturnRow.booking_id == row.id, OpenReturnRow.status == "open"
        )
    )
    row.starts_at, completes_at = found
    row.completes_at = max(completes_at, until) if until else completes_at
    await work.session.flush()


async def free_seats(work: UnitOfWork, given_up: Collection[GivenUp]) -> None:
    """Let others have these units. What the kernel has forgotten long after the run was over, nobody has.

    Raises:
        UnknownUnits: the hold has them no more, since its time was over.
    """
    await lock_holds(work, sorted({each.hold_id for each in given_up}))
    for each in given_up:
        with suppress(HoldNotFound):
            await release_units(work, each.hold_id, [each.want])


def _shrink(work: UnitOfWork, item: BookingItemRow, units: Collection[int], ended_as: str) -> GivenUp:
    """Take units out of an item; one that would have none left ends, and keeps them as they were last."""
    kept = [(unit, label) for unit, label in zip(item.units, item.labels, strict=True) if unit not in units]
    if kept:
        item.units, item.labels = [unit for unit, _ in kept], [label for _, label in kept]
        seats = [seat for seat in item.offer["seats"] if seat["unit"] not in units]
        item.offer = item.offer | {"seats": seats}
    else:
        item.ended_as, item.ended_at = ended_as, work.now
    return GivenUp(item.hold_id, Want(item.inventory_id, tuple(sorted(units)), item.first_slot, item.end_slot))
