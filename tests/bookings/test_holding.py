"""More time for a pending booking, and other seats in its stead."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from tests.bookings.shows import TERMS, run_out
from tests.counting import counted_statements

from farebox.accounts import SYSTEM, Actor, Permission
from farebox.bookings import (
    BookingExpired,
    BookingNotFound,
    BookingStatus,
    CancelReason,
    ConcernsOthers,
    NotModifiable,
    confirm_booking,
    extend_booking,
    get_booking,
    reopen_choice,
    start_processing,
)
from farebox.core.errors import Busy, NotAllowed
from farebox.core.ids import new_id
from farebox.inventory import ExtensionLimit, HoldTerms, get_hold

LONGER = HoldTerms(ttl_seconds=1000, max_extensions=2, max_total_seconds=2700)


async def extend(box, booking, actor, terms=LONGER):
    async with box.database.begin() as work:
        return await extend_booking(work, booking.id, actor=actor, terms=terms)


async def reopen(box, booking, actor, terms=TERMS):
    async with box.database.begin() as work:
        return await reopen_choice(work, booking.id, actor=actor, terms=terms)


async def test_more_time_is_the_bookings_and_its_holds_twice_and_no_more(box, database):
    booking, actor, _ = await box.booked()
    for _ in range(2):
        longer = await extend(box, booking, actor)
        async with database.begin() as work:
            assert (await get_hold(work, booking.items[0].hold_id)).expires_at == longer.expires_at
        assert longer.expires_at is not None
        assert 990 < (longer.expires_at - datetime.now(UTC)).total_seconds() <= 1000
    with pytest.raises(ExtensionLimit):
        await extend(box, booking, actor)


async def test_more_time_is_for_the_owner_of_a_running_pending_booking(box, database):
    booking, actor, _ = await box.booked()
    with pytest.raises(BookingNotFound):
        await extend(box, booking, await box.guest())
    await run_out(database, booking)
    with pytest.raises((BookingExpired, NotModifiable)):
        await extend(box, booking, actor)
    sold, owner, _ = await box.booked()
    async with database.begin() as work:
        await confirm_booking(work, sold.id, actor=SYSTEM)
    with pytest.raises(NotModifiable):
        await extend(box, sold, owner)


async def two_rides(box, *, ttl_seconds=900):
    """A booking of two holds, one of which may be longer than the other."""
    actor = await box.guest()
    out = await box.hold(actor, await box.show(), ttl_seconds=ttl_seconds)
    back = await box.hold(actor, await box.show())
    return await box.book(actor, out, back), actor, out, back


async def test_of_two_holds_both_have_more_time_or_none(box, database):
    booking, actor, out, back = await two_rides(box)
    async with database.begin() as work:
        await work.execute("UPDATE hold SET extensions = max_extensions WHERE id = %s", (max(out.id, back.id),))
    async with database.begin() as work:
        with pytest.raises(ExtensionLimit):
            await extend_booking(work, booking.id, actor=actor, terms=LONGER)
    async with database.begin() as work:
        assert (await get_hold(work, min(out.id, back.id))).extensions == 0


async def test_a_booking_that_is_being_paid_lasts_no_longer_than_any_of_its_seats(box, database):
    booking, actor, out, back = await two_rides(box, ttl_seconds=2700)
    async with database.begin() as work:
        paying = await start_processing(work, booking.id, actor=actor, settings=box.settings)
        longer, shorter = [(await get_hold(work, hold.id)).expires_at for hold in (out, back)]
    assert paying.expires_at == shorter
    assert shorter is not None
    assert longer is not None
    assert shorter < longer


async def test_a_choice_that_cannot_be_reopened_stays_the_bookings(box, database):
    booking, actor, _ = await box.booked()
    hold_id = booking.items[0].hold_id
    async with database.begin() as work:
        await work.execute("UPDATE hold SET first_taken_at = now() - interval '46 minutes' WHERE id = %s", (hold_id,))
        with pytest.raises(ExtensionLimit):
            await reopen_choice(work, booking.id, actor=actor, terms=TERMS)
    async with database.begin() as work:
        assert (await get_hold(work, hold_id)).owner == f"booking:{booking.id}"


async def test_choosing_again_ends_the_booking_and_gives_its_hold_back_to_the_traveller(box, database):
    booking, actor, _ = await box.booked([0, 1])
    ended = await reopen(box, booking, actor)
    assert (ended.status, ended.reason) == (BookingStatus.CANCELLED, CancelReason.CUSTOMER)
    async with database.begin() as work:
        hold = await get_hold(work, booking.items[0].hold_id, owner=actor.owner)
    assert hold.state == "held"
    again = await box.book(actor, hold)
    assert again.status is BookingStatus.PENDING
    async with database.begin() as work:
        assert (await get_booking(work, booking.id, actor=actor)).status is BookingStatus.CANCELLED


async def test_choosing_again_and_again_does_not_keep_seats_for_ever(box):
    booking, actor, _ = await box.booked()
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=2701)), pytest.raises(ExtensionLimit):
        await reopen(box, booking, actor)


async def test_only_the_owner_chooses_again(box, database):
    booking, _, _ = await box.booked()
    with pytest.raises(BookingNotFound):
        await reopen(box, booking, await box.guest())
    with pytest.raises(NotAllowed):  # the code's session reaches the booking, and cannot hold seats
        await reopen(box, booking, Actor("guest", new_id(), booking.id))
    async with database.begin() as work:
        assert (await get_booking(work, booking.id, actor=SYSTEM)).status is BookingStatus.PENDING


def box_office_of(*shows):
    """Somebody who changes bookings for the operators of these shows."""
    may = frozenset({Permission.BOOKINGS_READ, Permission.BOOKINGS_CHANGE, Permission.PASSENGERS_READ})
    return Actor("user", new_id(), grants=tuple((show.operator_id, may) for show in shows))


async def test_a_choice_with_seats_of_two_operators_is_reopened_by_none_of_them_alone(box, database):
    actor, ours, theirs = await box.guest(), await box.show(), await box.show(operator="other")
    booking = await box.book(actor, await box.hold(actor, ours), await box.hold(actor, theirs))
    for one in (ours, theirs):
        with pytest.raises(ConcernsOthers):
            await reopen(box, booking, box_office_of(one))
    clerk = box_office_of(ours, theirs)
    assert (await reopen(box, booking, clerk)).status is BookingStatus.CANCELLED
    async with database.begin() as work:
        assert {(await get_hold(work, item.hold_id)).owner for item in booking.items} == {clerk.owner}


class TestLockingABookingWithItsHolds:
    """Somebody else has one of the holds locked meanwhile, and may be about to wait for the booking."""

    async def locked(self, database, booking, actor):
        async with database.begin() as work:
            return await get_booking(work, booking.id, actor=actor, lock=True, with_holds=True, as_it_stands=True)

    async def test_holds_that_are_others_again_are_not_waited_for(self, box, database):
        booking, actor, _ = await box.booked()
        await reopen(box, booking, actor)
        async with database.begin() as other:
            await get_hold(other, booking.items[0].hold_id, lock=True)
            assert (await self.locked(database, booking, SYSTEM)).id == booking.id
            assert (await self.locked(database, booking, actor)).id == booking.id

    async def test_who_does_not_reach_the_booking_waits_for_nothing(self, box, database):
        booking, _, _ = await box.booked()
        stranger = await box.guest()
        async with database.begin() as other:
            await get_hold(other, booking.items[0].hold_id, lock=True)
            with pytest.raises(BookingNotFound):
                await self.locked(database, booking, stranger)

    async def test_control_its_own_are(self, box, database):
        booking, actor, _ = await box.booked()
        async with database.begin() as other:
            await get_hold(other, booking.items[0].hold_id, lock=True)
            for who in (SYSTEM, actor):
                with pytest.raises(Busy):
                    await self.locked(database, booking, who)

    async def test_who_changes_them_next_need_not_ask_for_them(self, box, database):
        booking, actor, _ = await box.booked()
        hold_id = booking.items[0].hold_id
        async with database.begin() as work:
            await get_booking(work, booking.id, actor=actor, lock=True, with_holds=True)
            with counted_statements() as statements:
                hold = await get_hold(work, hold_id, lock=True)
                assert statements == []
                assert await get_hold(work, hold_id, lock=True) == hold  # once only
                assert len(statements) == 1
