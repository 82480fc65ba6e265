"""The seats of a departure, as one viewer sees them on one stretch."""

from datetime import timedelta

import pytest

from farebox.accounts import ANONYMOUS, Actor
from farebox.coaches import SeatMap, UnknownSeat, get_lock, get_seat_map, list_seat_statuses, release_lock
from farebox.core.ids import new_id
from farebox.inventory import HoldNotFound
from farebox.timetable import DepartureNotFound, NotBoardable


async def see(coach, work, ride="ae", viewer=ANONYMOUS) -> SeatMap:
    return await get_seat_map(
        work, coach.id, coach.stop(ride[0]), coach.stop(ride[1]), viewer=viewer, settings=coach.settings
    )


def statuses(seats, *numbers):
    by_number = {seat.number: seat.status for seat in seats.seats}
    return [by_number[number] for number in numbers]


async def test_all_seats_of_the_plan_with_their_prices(coach):
    async with coach.database.begin() as work:
        seats = await see(coach, work)
        short = await see(coach, work, "ac")
    assert len(seats.seats) == 45
    assert [seat.unit for seat in seats.seats] == list(range(45))
    assert {seat.status for seat in seats.seats} == {"available"}
    assert seats.seats_left == 45
    first = seats.seats[0]
    assert (first.number, first.type, first.deck, first.row) == ("1A", "standard", 0, 1)
    assert first.price is not None
    assert first.price.currency == "EUR"
    assert short.seats[0].price is not None
    assert 0 < short.seats[0].price.minor < first.price.minor
    assert (seats.lock, seats.limit) == (None, 5)


async def test_a_seat_is_what_it_is_on_this_stretch_for_this_viewer(coach):
    async with coach.database.begin() as work:
        an, bo = await coach.guest(work), await coach.guest(work)
        await coach.sell(work, "ac", "1A")
        await coach.block(work, "1B")
        await coach.lock(work, bo, "ce", "1C")
        lock = await coach.lock(work, an, "ce", "1D", "2A")

        own = await see(coach, work, "ce", an)
        assert statuses(own, "1A", "1B", "1C", "1D", "2A", "2B") == [
            "available", "blocked", "locked", "mine", "mine", "available",
        ]  # fmt: skip
        assert own.lock == lock
        assert own.seats_left == 43
        assert statuses(await see(coach, work, "ac", an), "1A", "1B", "1C", "1D") == [
            "occupied", "blocked", "available", "available",
        ]  # fmt: skip
        assert statuses(await see(coach, work, "ae", bo), "1A", "1C", "1D") == ["occupied", "mine", "locked"]
        assert statuses(await see(coach, work), "1A", "1C", "1D") == ["occupied", "locked", "locked"]


async def test_what_stands_most_in_the_way_decides(coach):
    async with coach.database.begin() as work:
        an, bo = await coach.guest(work), await coach.guest(work)
        await coach.lock(work, an, "ac", "1A", "1B")
        await coach.lock(work, bo, "ce", "1A")
        await coach.sell(work, "ce", "1B")
        assert statuses(await see(coach, work, "ae", an), "1A", "1B") == ["locked", "occupied"]


async def test_the_version_differs_when_a_status_differs(coach):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        before, elsewhere = (await see(coach, work)).version, (await see(coach, work, "ce")).version
        assert (await see(coach, work)).version == before
        lock = await coach.lock(work, an, "ac", "1A")
        during = (await see(coach, work)).version
        assert during != before
        assert (await see(coach, work, viewer=an)).version not in {before, during}
        assert (await see(coach, work, "ce")).version == elsewhere
        await release_lock(work, lock.id, actor=an)
        assert (await see(coach, work)).version == before


async def test_some_seats_in_the_order_named(coach):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ac", "1B")
        await coach.sell(work, "ac", "2A")
        seats = await list_seat_statuses(work, coach.id, [" 2a", "1B", "1A"], viewer=ANONYMOUS)
        assert [(s.number, s.status, s.held_until) for s in seats] == [
            ("2A", "occupied", None),
            ("1B", "locked", lock.expires_at),
            ("1A", "available", None),
        ]
        assert len(await list_seat_statuses(work, coach.id, [], viewer=an)) == 45
        with pytest.raises(UnknownSeat) as refusal:
            await list_seat_statuses(work, coach.id, ["1A", "99Z", "0"], viewer=an)
        assert refusal.value.fields == {"seats": ["99Z", "0"]}


async def test_no_such_ride(coach):
    async with coach.database.begin() as work:
        with pytest.raises(DepartureNotFound):
            await get_seat_map(work, new_id(), viewer=ANONYMOUS, settings=coach.settings)
        for ride in ("ca", "aa", "ab", "de"):
            with pytest.raises(NotBoardable):
                await see(coach, work, ride)


async def test_a_lock_is_seen_by_its_owner_only(coach):
    async with coach.database.begin() as work:
        an, bo = await coach.guest(work), await coach.guest(work)
        lock = await coach.lock(work, an, "bd", "1D", "1A")
        assert await get_lock(work, lock.id, actor=an) == lock
        assert lock.seat_numbers == ("1A", "1D")
        assert (lock.segment.board.stop_name, lock.segment.alight.stop_name) == ("Bach", "Dorf")
        with pytest.raises(HoldNotFound):
            await get_lock(work, lock.id, actor=bo)
        await release_lock(work, lock.id, actor=an)
        assert (await get_lock(work, lock.id, actor=an)).state == "released"


async def test_the_session_for_one_booking_sees_the_map_like_anybody(coach):
    async with coach.database.begin() as work:
        seats = await see(coach, work, viewer=Actor("guest", new_id(), booking_id=new_id()))
        assert seats.lock is None
        assert coach.departure.calls[0].departure - work.now > timedelta(hours=1)
