"""What a change of a sold booking is, as it was quoted; and one that waits for the money it costs.

At most one waits at a time for a booking. It ends once: applied when its money came, withdrawn by the traveller, or
failed since its time was over or its seats were lost. The booking's row is the lock for all of that.
"""

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Text, cast, exists, func, select, true, update

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings.errors import ChangeNotFound, ChangePending
from farebox.bookings.events import BookingChangeFailed
from farebox.bookings.models import BookingChangeRow, BookingItemRow, BookingPassengerRow, BookingRow
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.states import BookingStatus, record
from farebox.bookings.verticals import ChangePolicy, ItemDescription, ItemOffer
from farebox.bookings.views import BookedLine, IdType
from farebox.core.db import UnitOfWork
from farebox.core.money import Money, total
from farebox.inventory import HoldNotFound, get_hold, lock_holds, rearm, release, transfer

BATCH: Final = 100

ChangeStatus: TypeAlias = Literal["pending", "applied", "failed", "withdrawn"]
ChangeFailure: TypeAlias = Literal["expired", "seats-gone"]


class Move(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody who gets another seat. `unit` is the kernel's number of it."""

    passenger_id: UUID
    unit: int
    seat_number: str


class NewSeats(msgspec.Struct, frozen=True, kw_only=True):
    """Seats of a hold that a booking is to have.

    Attributes:
        moves: who gets which of them, in their order.
        new_item_id: what the new item of the booking is called.
        offer, description, policy, completes_at: what it is, as the vertical said when it was quoted.
    """

    moves: tuple[Move, ...]
    new_item_id: UUID
    offer: ItemOffer
    description: ItemDescription
    policy: ChangePolicy
    completes_at: datetime

    @property
    def hold_id(self) -> UUID:
        return self.offer.hold_id


class SeatChange(NewSeats, frozen=True, kw_only=True):
    """Seats of an item given up for those of a hold.

    Attributes:
        item_id: of which the seats are given up; `is_whole`: all that it has.
        is_longer: the hold is of more legs of the same seats, which join those that they have.
        is_shorter: there is no new hold: they keep their seats on a part of the way.
        open_returns_until: until when the open returns of who changes are good then; `None`: nobody has one.
    """

    item_id: UUID
    is_whole: bool
    is_longer: bool
    is_shorter: bool = False
    open_returns_until: datetime | None = None


class Redemption(NewSeats, frozen=True, kw_only=True):
    """Seats of a hold for who has open returns, which are used up by that. The people keep their other seats."""

    open_return_ids: tuple[UUID, ...]


class NewPerson(msgspec.Struct, frozen=True, kw_only=True):
    """Who takes the place of a passenger: the columns of the row, sealed as they will stand there."""

    passenger_id: UUID
    full_name: str
    id_type: IdType
    id_number: bytes
    id_number_index: bytes
    phone: bytes
    phone_index: bytes
    email: bytes | None
    email_index: bytes | None


class ChangeQuote(msgspec.Struct, frozen=True, kw_only=True):
    """What a change does and costs. Either `seats`, `redemption` or `people` says what changes.

    Attributes:
        revision: of the booking's price that it was made for; another one makes it void.
        before: what the booking costs as it stands.
        gone, added: the price lines that fall away and those that come; `lines`: all, as they will be.
    """

    revision: int
    before: Money
    gone: tuple[BookedLine, ...]
    added: tuple[BookedLine, ...]
    lines: tuple[BookedLine, ...]
    seats: SeatChange | None = None
    redemption: Redemption | None = None
    people: tuple[NewPerson, ...] = ()

    @property
    def after(self) -> Money:
        """What the booking will cost."""
        return total([line.amount for line in self.lines], self.before.currency)

    @property
    def owed(self) -> Money:
        """What is to be paid for it; zero where nothing is."""
        return max(self.after - self.before, Money.zero(self.before.currency))

    @property
    def given_back(self) -> Money:
        """What is paid back; zero where nothing is."""
        return max(self.before - self.after, Money.zero(self.before.currency))

    @property
    def new_seats(self) -> NewSeats | None:
        """The seats that it is about, if it is."""
        return self.seats or self.redemption

    @property
    def hold_id(self) -> UUID | None:
        """The hold that is for this change alone; `None` where there is none."""
        if self.new_seats is None or (self.seats and self.seats.is_shorter):
            return None
        return self.new_seats.hold_id

    @property
    def passenger_ids(self) -> list[UUID]:
        """Whom it is about."""
        if self.new_seats:
            return [move.passenger_id for move in self.new_seats.moves]
        return [person.passenger_id for person in self.people]


@dataclass(frozen=True, slots=True)
class Change:
    """A change that waits for the money it costs, or did.

    Attributes:
        hold_id: of the new seats; `None` where there are none.
        expires_at: until when it can be paid.
    """

    id: UUID
    booking_id: UUID
    status: ChangeStatus
    hold_id: UUID | None
    quote: ChangeQuote
    owed: Money
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None


async def get_pending_change(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> Change:
    """The change of a booking that waits for its payment now.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        ChangeNotFound: none waits, or its time is over.
    """
    await get_booking(work, booking_id, actor=actor)
    row = await _find(work, BookingChangeRow.booking_id == booking_id, _IS_PENDING, _IS_IN_TIME)
    if row is None:
        raise ChangeNotFound
    return change_of(row)


async def get_change(work: UnitOfWork, change_id: UUID) -> Change:
    """A change, whatever became of it. For who settles its money and has locked its booking.

    Raises:
        ChangeNotFound: no such change.
    """
    row = await _find(work, BookingChangeRow.id == change_id)
    if row is None:
        raise ChangeNotFound
    return change_of(row)


async def open_change(
    work: UnitOfWork, booking_id: UUID, quote: ChangeQuote, *, change_id: UUID, actor: Actor, holder: str, seconds: int
) -> Change:
    """Let a change wait for its money: its seats are the booking's and kept for `seconds`.

    Args:
        holder: whose the hold of the new seats is.

    Raises:
        ChangePending: another one waits.
        HoldNotFound, HoldExpired: the new seats are not held (any more).
    """
    row = await get_row(work, booking_id, as_it_stands=True)
    await refuse_second_change(work, booking_id)
    hold_id = quote.hold_id
    expires_at = await _in(work, seconds)
    if hold_id is not None:
        await get_hold(work, hold_id, owner=holder, lock=True)
        held = await rearm(work, hold_id, seconds=seconds)
        await transfer(work, hold_id, owner=f"booking:{row.id}")
        expires_at = held.expires_at or expires_at
    waiting = BookingChangeRow(
        id=change_id,
        booking_id=row.id,
        status="pending",
        hold_id=hold_id,
        passenger_ids=quote.passenger_ids,
        quote=msgspec.to_builtins(quote),
        owed_minor=quote.owed.minor,
        currency=quote.owed.currency,
        actor=_name(actor),
        created_at=work.now,
        expires_at=expires_at,
    )
    work.session.add(waiting)
    _record(work, row, actor, "change-started", change_id)
    await work.session.flush()
    return change_of(waiting)


async def refuse_second_change(work: UnitOfWork, booking_id: UUID) -> None:
    """Raises `ChangePending` where one waits; one whose time is over is ended here."""
    await get_row(work, booking_id, as_it_stands=True)  # whoever opens or ends one waits in one line
    waiting = await _find(work, BookingChangeRow.booking_id == booking_id, _IS_PENDING)
    if waiting is None:
        return
    if await _find(work, BookingChangeRow.id == waiting.id, _IS_IN_TIME):
        raise ChangePending(change_id=str(waiting.id))
    await fail_change(work, booking_id, waiting.id, "expired")


async def withdraw_change(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> None:
    """Take a change back that waits for its payment; its new seats are free at once.

    Money that still arrives for it is given back.

    Raises:
        BookingNotFound: no such booking for this actor.
        ChangeNotFound: none waits, or only one of seats on other operators' rides than the actor's.
    """
    row = await get_row(work, booking_id, actor=actor)
    waiting = await _find(work, BookingChangeRow.booking_id == booking_id, _IS_PENDING, _is_reached_by(actor))
    if waiting is None:
        raise ChangeNotFound
    await _end(work, row, waiting.id, "withdrawn", actor=actor, reason="change-withdrawn")


async def drop_pending_change(work: UnitOfWork, row: BookingRow, *, actor: Actor) -> None:
    """End the change that waits for its payment, if one does, since the booking ends or changes otherwise.

    Args:
        row: the booking, locked by the caller.
    """
    waiting = await _find(work, BookingChangeRow.booking_id == row.id, _IS_PENDING)
    if waiting is not None:
        await _end(work, row, waiting.id, "withdrawn", actor=actor, reason="change-withdrawn")


async def fail_change(work: UnitOfWork, booking_id: UUID, change_id: UUID, failure: ChangeFailure) -> None:
    """A change that waited for its payment cannot be made: its new seats are free, the traveller is told."""
    row = await get_row(work, booking_id, as_it_stands=True)
    if await _end(work, row, change_id, "failed", actor=SYSTEM, reason=f"change-{failure}"):
        work.publish(
            BookingChangeFailed(booking_id=row.id, reference=row.reference, change_id=change_id, reason=failure)
        )


async def close_applied(work: UnitOfWork, change_id: UUID) -> None:
    """The change was made: it waits no longer."""
    await _move_on(work, change_id, "applied")


async def expire_changes(work: UnitOfWork, *, limit: int = BATCH) -> int:
    """End the changes whose time to pay is over; those whose booking somebody works on now are left for the next time.

    Returns:
        How many; fewer than `limit` means none is left.
    """
    due = await work.session.execute(
        select(BookingRow.id, BookingChangeRow.id, BookingChangeRow.hold_id)
        .join(BookingChangeRow, BookingChangeRow.booking_id == BookingRow.id)
        .where(_IS_PENDING, ~_IS_IN_TIME)
        .order_by(BookingChangeRow.expires_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=BookingRow)
    )
    rows = due.all()
    await lock_holds(work, sorted(hold_id for _, _, hold_id in rows if hold_id is not None))
    for booking_id, change_id, _ in rows:
        await fail_change(work, booking_id, change_id, "expired")
    return len(rows)


def change_of(row: BookingChangeRow) -> Change:
    return Change(
        id=row.id,
        booking_id=row.booking_id,
        status=row.status,  # type: ignore[arg-type]  # the table's CHECK says so
        hold_id=row.hold_id,
        quote=msgspec.convert(row.quote, ChangeQuote),
        owed=Money(row.owed_minor, row.currency),
        created_at=row.created_at,
        expires_at=row.expires_at,
        ended_at=row.ended_at,
    )


_IS_PENDING: Final = BookingChangeRow.status == "pending"
_IS_IN_TIME: Final = BookingChangeRow.expires_at > func.clock_timestamp()


def _is_reached_by(actor: Actor) -> ColumnElement[bool]:
    """Which changes, of bookings that a credential reaches, are its own or of nobody's seats but its operators'."""
    if actor.booking_id is not None or actor.is_everywhere:
        return true()
    own = exists().where(BookingRow.id == BookingChangeRow.booking_id, BookingRow.owner == actor.owner)
    others = exists().where(
        BookingPassengerRow.id == func.any(BookingChangeRow.passenger_ids),
        BookingItemRow.id == BookingPassengerRow.item_id,
        BookingItemRow.operator_id.not_in(actor.operators_with(Permission.BOOKINGS_CHANGE)),
    )
    return own | ~others


async def _find(work: UnitOfWork, *which: ColumnElement[bool]) -> BookingChangeRow | None:
    return await work.session.scalar(select(BookingChangeRow).where(*which).execution_options(populate_existing=True))


async def _in(work: UnitOfWork, seconds: int) -> datetime:
    """The instant in so many seconds, by the database's clock, which is that of the holds."""
    cursor = await work.execute("SELECT clock_timestamp() + %s * interval '1 second'", (seconds,))
    row = await cursor.fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant


async def _end(
    work: UnitOfWork, row: BookingRow, change_id: UUID, status: ChangeStatus, *, actor: Actor, reason: str
) -> bool:
    """End a change without making it: its seats go back. Whether it had not ended before."""
    ended = await _move_on(work, change_id, status)
    if ended is None:
        return False
    if ended.hold_id is not None:
        await lock_holds(work, [ended.hold_id])
        with suppress(HoldNotFound):  # nothing is left of it, and so there is nothing to give back
            await release(work, ended.hold_id)
    _record(work, row, actor, reason, change_id)
    return True


async def _move_on(work: UnitOfWork, change_id: UUID, status: ChangeStatus) -> BookingChangeRow | None:
    """The UPDATE carries the guard: a change ends once. Whom new names were for is kept no longer than needed."""
    return await work.session.scalar(
        update(BookingChangeRow)
        .where(BookingChangeRow.id == change_id, _IS_PENDING)
        .values(status=status, ended_at=work.now, quote=BookingChangeRow.quote.op("-")(cast("people", Text)))
        .returning(BookingChangeRow)
        .execution_options(synchronize_session=False, populate_existing=True)
    )


def _record(work: UnitOfWork, row: BookingRow, actor: Actor, reason: str, change_id: UUID) -> None:
    status = BookingStatus(row.status)
    record(work, row.id, actor=actor, source=status, target=status, reason=reason, facts={"change": str(change_id)})


def _name(actor: Actor) -> str:
    return actor.kind if actor.id is None else f"{actor.kind}:{actor.id}"
