"""Open returns: the right to ride back later, bought with the ride there.

One is somebody's, by their seat on the ride there. Its price is in the booking's as lines of its own, which name it;
the row says what it is for and what became of it. It ends once: redeemed for a ride (`redeeming`), given up
(`cancelling`), or not used in time (below). The booking's row is the lock for all of that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, func, select, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings.events import OpenReturnsEnded, OpenReturnsEnding
from farebox.bookings.giving_up import set_clocks
from farebox.bookings.models import BookingChangeRow, BookingRow, OpenReturnRow
from farebox.bookings.policy import CancellationQuote, quote_seats_given_up
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.seating import offers_of
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ItemDescription, ItemOffer, OpenReturnOffer, PassengerType, Traveller, Verticals
from farebox.bookings.views import OPEN_RETURN, Booking
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import total
from farebox.core.rows import new_row
from farebox.inventory import get_hold
from farebox.pricing import PriceLine, Quote

BATCH: Final = 100
REMIND: Final = timedelta(days=7)
"""So long before its end, who has an open return is reminded of it; not on the day on which it was bought."""

ENDED: Final = "open-returns-ended"


@dataclass(frozen=True, slots=True)
class NewOpenReturns:
    """Open returns as they are bought with an item: one for each of its travellers, in their order."""

    item: ItemOffer
    offer: OpenReturnOffer
    travellers: tuple[Traveller, ...]
    ids: tuple[UUID, ...]

    def added_to(self, quotes: Sequence[Quote]) -> list[Quote]:
        """The price of the booking, whose first item it is bought with."""
        lines = [line for of_one in self._lines() for line in of_one]
        return [replace(quotes[0], lines=(*quotes[0].lines, *lines)), *quotes[1:]]

    async def enter(self, work: UnitOfWork, booking_id: UUID, passengers: Mapping[int, UUID]) -> list[OpenReturnRow]:
        """Write them down. Args: passengers: unit of the item -> who sits on it."""
        rows = [
            new_row(
                OpenReturnRow,
                id=each,
                booking_id=booking_id,
                passenger_id=passengers[traveller.unit],
                passenger_type=traveller.passenger_type,
                kind=self.item.kind,
                operator_id=self.item.operator_id,
                from_id=self.offer.from_id,
                to_id=self.offer.to_id,
                origin=self.offer.origin,
                destination=self.offer.destination,
                amount_minor=total([line.amount for line in lines], lines[0].amount.currency).minor,
                currency=lines[0].amount.currency,
                refund_bp=self.offer.refund_bp,
                valid_until=self.offer.valid_until,
                timezone=self.offer.timezone,
                status="open",
                created_at=work.now,
            )
            for each, traveller, lines in zip(self.ids, self.travellers, self._lines(), strict=True)
        ]
        for row in rows:
            work.put(row)
        return rows

    def _lines(self) -> list[list[PriceLine]]:
        return [
            [replace(line, facts={**line.facts, OPEN_RETURN: str(each)}) for line in lines]
            for each, lines in zip(self.ids, self.offer.lines, strict=True)
        ]


async def find_offer(
    work: UnitOfWork, items: Sequence[ItemOffer], travellers: Sequence[Traveller], verticals: Verticals
) -> OpenReturnOffer | None:
    """What riding back later costs the travellers of a booking; `None` where that is not sold, as with two ways."""
    if len(items) != 1:
        return None
    return await verticals[items[0].kind].offer_open_return(work, items[0], travellers)


async def offer_with_hold(
    work: UnitOfWork, lock_id: UUID, types: Sequence[PassengerType], *, actor: Actor, verticals: Verticals
) -> OpenReturnOffer | None:
    """What an open return costs with the seats of a hold, before they are booked; `None` where none is sold.

    Args:
        types: of the passengers, in the order of the seats; adults where none are given.

    Raises:
        HoldNotFound: no such hold of this actor.
        Invalid: another number of types than of seats.
    """
    items = await offers_of(work, [await get_hold(work, lock_id, owner=actor.owner)], verticals)
    seats = [(place, seat) for place, item in enumerate(items) for seat in item.seats]
    if types and len(types) != len(seats):
        message = N_("Name the type of passenger for each seat, or none.")
        raise Invalid([FieldError("passengerTypes", "passenger-count", message)])
    kinds: Sequence[PassengerType] = types or ["adult"] * len(seats)
    travellers = [
        Traveller(position=position, item=place, seat=seat.label, unit=seat.unit, passenger_type=kind)
        for position, ((place, seat), kind) in enumerate(zip(seats, kinds, strict=True))
    ]
    return await find_offer(work, items, travellers, verticals)


async def buy_open_returns(
    work: UnitOfWork, items: Sequence[ItemOffer], travellers: Sequence[Traveller], verticals: Verticals
) -> NewOpenReturns:
    """An open return for everybody on a booking that is made or priced anew.

    Raises:
        Invalid: none is sold with this.
    """
    offer = await find_offer(work, items, travellers, verticals)
    if offer is None:
        message = N_("No open return is sold with this trip.")
        raise Invalid([FieldError("openReturn", "open-return-not-sold", message)])
    return NewOpenReturns(items[0], offer, tuple(travellers), tuple(new_id() for _ in travellers))


async def has_open_returns(work: UnitOfWork, booking_id: UUID) -> bool:
    """Whether somebody on a booking has one."""
    found = exists().where(OpenReturnRow.booking_id == booking_id, OpenReturnRow.status == "open")
    return bool(await work.session.scalar(select(found)))


async def forget_open_returns(work: UnitOfWork, booking_id: UUID) -> None:
    """Take them out of a booking that is not paid yet."""
    await work.session.execute(delete(OpenReturnRow).where(OpenReturnRow.booking_id == booking_id))


def end_moved(until: datetime, timezone: str, before: ItemDescription, now: ItemDescription) -> datetime:
    """Until when an open return is good whose ride there is another one: as many days after that as were sold."""
    there = ZoneInfo(timezone)
    later = _arrival(now).astimezone(there).date() - _arrival(before).astimezone(there).date()
    local = until.astimezone(there)
    return datetime.combine(local.date() + later, local.time(), there)


def _arrival(ride: ItemDescription) -> datetime:
    return (ride.destination or ride.origin).time


async def carry_open_returns(
    work: UnitOfWork, moved: Mapping[UUID, UUID], before: ItemDescription, now: ItemDescription
) -> None:
    """Let people keep theirs who get another seat on the ride there, or another ride; their ends go along.

    Args:
        moved: their ids, before and now; `before`, `now`: the ride there.
    """
    rows = await work.session.scalars(
        select(OpenReturnRow)
        .where(OpenReturnRow.passenger_id.in_(moved), OpenReturnRow.status == "open")
        .execution_options(populate_existing=True)
    )
    for row in rows.all():
        until = end_moved(row.valid_until, row.timezone, before, now)
        if until > row.valid_until:
            row.reminded_at = None  # it was of another day
        row.passenger_id, row.valid_until = moved[row.passenger_id], until
    await work.session.flush()


async def end_open_returns(
    work: UnitOfWork,
    ids: Collection[UUID],
    status: Literal["redeemed", "cancelled", "ended"],
    *,
    item_id: UUID | None = None,
) -> None:
    """Let open returns be over. Their price is for the caller, who has seen that they are open, under the lock."""
    if not ids:
        return
    await work.session.execute(
        update(OpenReturnRow)
        .where(OpenReturnRow.id.in_(ids))
        .values(status=status, item_id=item_id, ended_at=work.now)
        .execution_options(synchronize_session=False)
    )


@dataclass(frozen=True, slots=True)
class Unused:
    """What became of open returns that were not used in time: the booking before and after, and what that comes to."""

    before: Booking
    after: Booking
    quote: CancellationQuote


async def list_unused(work: UnitOfWork, *, limit: int = BATCH) -> list[UUID]:
    """Bookings with open returns whose time is over, locked; those that somebody works on now, or of which a change
    waits for its payment, are left for the next time."""
    due = exists().where(
        OpenReturnRow.booking_id == BookingRow.id,
        OpenReturnRow.status == "open",
        OpenReturnRow.valid_until < func.clock_timestamp(),
    )
    waits = exists().where(BookingChangeRow.booking_id == BookingRow.id, BookingChangeRow.status == "pending")
    rows = await work.session.scalars(
        select(BookingRow.id)
        .where(due, ~waits, BookingRow.status == BookingStatus.CONFIRMED)
        .order_by(BookingRow.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    return list(rows)


async def end_unused(work: UnitOfWork, booking_id: UUID) -> Unused:
    """End a booking's open returns whose time is over: what is not paid back of their price by their terms is kept.

    Money is for the caller, in the same unit of work (see `payments.end_unused_returns`), which has locked the booking
    with `list_unused`.
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    before = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    over = [each.id for each in before.open_returns if each.valid_until < work.now]
    quote = quote_seats_given_up(before, (), work.now, open_returns=over)
    await end_open_returns(work, over, "ended")
    await set_clocks(work, row)
    await write_revision(work, row, quote.left)
    status = BookingStatus(row.status)
    amounts = {
        "refund": str(quote.refund.amount),
        "kept": str(quote.kept.amount),
        "currency": quote.currency,
    }
    facts = {"openReturns": [str(each) for each in over], **amounts}
    record(work, booking_id, actor=SYSTEM, source=status, target=status, reason=ENDED, facts=facts)
    work.publish(OpenReturnsEnded(booking_id=booking_id, reference=row.reference, open_return_ids=over, **amounts))
    return Unused(before, await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True), quote)


async def announce_ends(work: UnitOfWork, *, limit: int = BATCH) -> int:
    """Tell of open returns that will not be good for long, once for each booking; how many bookings that were."""
    soon = work.now + REMIND
    due = await work.session.execute(
        select(OpenReturnRow.booking_id, BookingRow.reference, func.min(OpenReturnRow.valid_until))
        .join(BookingRow, BookingRow.id == OpenReturnRow.booking_id)
        .where(
            OpenReturnRow.status == "open",
            OpenReturnRow.reminded_at.is_(None),
            OpenReturnRow.valid_until.between(work.now, soon),
            OpenReturnRow.created_at < work.now - timedelta(days=1),
            BookingRow.status == BookingStatus.CONFIRMED,
        )
        .group_by(OpenReturnRow.booking_id, BookingRow.reference)
        .order_by(OpenReturnRow.booking_id)
        .limit(limit)
    )
    found: Sequence[tuple[UUID, str, datetime]] = [(row[0], row[1], row[2]) for row in due]
    await work.session.execute(
        update(OpenReturnRow)
        .where(OpenReturnRow.booking_id.in_([booking_id for booking_id, _, _ in found]), OpenReturnRow.status == "open")
        .values(reminded_at=work.now)
        .execution_options(synchronize_session=False)
    )
    for booking_id, reference, valid_until in found:
        work.publish(OpenReturnsEnding(booking_id=booking_id, reference=reference, valid_until=valid_until))
    return len(found)
