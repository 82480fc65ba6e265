"""The time for which a pending booking has its seats, and giving it up to choose other ones."""

from datetime import timedelta
from uuid import UUID

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings.errors import BookingExpired, NotModifiable
from farebox.bookings.events import BookingCancelled
from farebox.bookings.expiry import holds_of
from farebox.bookings.models import BookingRow
from farebox.bookings.queries import get_booking, get_row
from farebox.bookings.states import BookingStatus, CancelReason, move
from farebox.bookings.views import Booking
from farebox.core.db import UnitOfWork
from farebox.inventory import ExtensionLimit, HoldTerms, extend, get_hold, lock_holds, transfer
from farebox.pricing import release_promotion


async def extend_booking(work: UnitOfWork, booking_id: UUID, *, actor: Actor, terms: HoldTerms) -> Booking:
    """Begin the time to pay anew, as often and as long as its holds allow.

    Raises:
        BookingNotFound: no such booking for this actor.
        ConcernsOthers: who acts for operators keeps no seats of others.
        NotModifiable: it is not pending.
        BookingExpired: its time is over.
        ExtensionLimit: used as often as allowed, or the longest time is reached.
    """
    row = await _pending(work, booking_id, actor)
    hold_ids = await holds_of(work, [booking_id])
    await lock_holds(work, hold_ids)
    holds = [await get_hold(work, hold_id) for hold_id in hold_ids]
    if any(hold.state != "held" for hold in holds):
        raise BookingExpired
    if not all(hold.extensions_left for hold in holds):
        raise ExtensionLimit
    ends = [(await extend(work, hold.id, owner=hold.owner, terms=terms)).expires_at for hold in holds]
    row.expires_at = min(filter(None, ends))
    row.updated_at = work.now
    await work.session.flush()
    return await get_booking(work, booking_id, actor=SYSTEM)


async def refuse_part(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> None:
    """Refuse who acts for some of a booking's operators only to begin paying it: that keeps the seats of all.

    Who acts for nobody is asked nothing here: what they reach is all theirs.

    Raises:
        BookingNotFound: no such booking for this actor.
        ConcernsOthers: there are others' seats in it.
    """
    if actor.operators_with(Permission.BOOKINGS_CHANGE):
        await get_row(work, booking_id, actor=actor, as_it_stands=True, wholly=True)


async def reopen_choice(work: UnitOfWork, booking_id: UUID, *, actor: Actor, terms: HoldTerms) -> Booking:
    """Give a pending booking up, but not its seats: the holds are the traveller's again, to change the choice.

    The booking ends as cancelled by the customer; its people can still be read by the actor, to be carried over into
    the next booking. Since a new booking keeps the seats anew, this is refused once they have been held for the longest
    time of `terms`: going to and fro does not keep them for ever.

    Raises:
        BookingNotFound: no such booking for this actor.
        ConcernsOthers: the actor acts for operators, and there are others' seats in it.
        NotModifiable: it is not pending.
        ExtensionLimit: its seats have been held for the longest time.
        NotAllowed: the credential reaches this booking only, and cannot hold seats.
    """
    row = await _pending(work, booking_id, actor)
    owner = actor.owner
    holds = [await get_hold(work, hold_id, lock=True) for hold_id in await holds_of(work, [booking_id])]
    if any(work.now - hold.first_taken_at >= timedelta(seconds=terms.max_total_seconds) for hold in holds):
        raise ExtensionLimit
    for hold in holds:
        await transfer(work, hold.id, owner=owner)
    if row.promotion_id is not None:
        await release_promotion(work, row.promotion_id, person=row.contact_email_index)
    await move(
        work,
        booking_id,
        BookingStatus.CANCELLED,
        source=BookingStatus.PENDING,
        actor=actor,
        reason=CancelReason.CUSTOMER,
        facts={"for": "other seats"},
        columns={"reason": CancelReason.CUSTOMER, "cancelled_at": work.now, "expires_at": None},
    )
    work.publish(BookingCancelled(booking_id=row.id, reference=row.reference, reason=CancelReason.CUSTOMER))
    return await get_booking(work, booking_id, actor=SYSTEM)


async def _pending(work: UnitOfWork, booking_id: UUID, actor: Actor) -> BookingRow:
    row = await get_row(work, booking_id, actor=actor, wholly=True)  # all of its seats are kept, or become the actor's
    if row.status != BookingStatus.PENDING:
        raise NotModifiable(booking_status=row.status)
    return row
