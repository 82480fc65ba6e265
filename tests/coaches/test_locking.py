"""Holding seats: what is refused and in which words, what is replaced, what is offered instead."""

import asyncio
from datetime import timedelta

import pytest

from farebox.accounts import ANONYMOUS, Actor
from farebox.coaches import (
    DuplicateSeats,
    SalesClosed,
    SeatsUnavailable,
    TooManySeats,
    UnknownSeat,
    extend_lock,
    get_seat_map,
    release_lock,
)
from farebox.core.db import Database
from farebox.core.errors import Invalid, NotAllowed, SignInRequired
from farebox.core.i18n import language
from farebox.core.ids import new_id
from farebox.core.money import Money, total
from farebox.inventory import ExtensionLimit, HoldNotFound
from farebox.pricing import FareTerms, NotForSale, set_fare_terms
from farebox.timetable import DepartureNotFound, NotBoardable


@pytest.fixture
async def an(coach):
    async with coach.database.begin() as work:
        return await coach.guest(work)


@pytest.fixture
async def bo(coach):
    async with coach.database.begin() as work:
        return await coach.guest(work)


async def test_seats_are_held_with_a_clock_and_a_price(coach, an):
    async with coach.database.begin() as work:
        lock = await coach.lock(work, an, "ac", "1B", "1a ")
    assert lock.seat_numbers == ("1A", "1B")
    assert (lock.state, lock.extensions_left) == ("held", 2)
    assert lock.expires_at is not None
    assert timedelta(seconds=890) < lock.expires_at - work.now <= timedelta(seconds=901)
    async with coach.database.begin() as work:
        shown = await get_seat_map(work, coach.id, coach.stop("a"), coach.stop("c"), viewer=an, settings=coach.settings)
    prices = [seat.price for seat in shown.seats if seat.number in lock.seat_numbers]
    assert lock.total == total([price for price in prices if price], "EUR")


async def test_the_whole_run_is_meant_when_no_stop_is_named(coach, an):
    async with coach.database.begin() as work:
        lock = await coach.lock_on(work, coach.id, an, "1A")
        assert (lock.segment.first_slot, lock.segment.end_slot) == (0, 4)


async def test_a_seat_sold_to_b_is_on_sale_again_from_b(coach, an, bo):
    async with coach.database.begin() as work:
        await coach.lock(work, an, "ac", "1A")
        await coach.lock(work, bo, "ce", "1A")


async def test_a_new_choice_on_the_same_trip_replaces_the_old_one(coach, an):
    async with coach.database.begin() as work:
        first = await coach.lock(work, an, "ac", "1A", "1B")
        second = await coach.lock(work, an, "ae", "1B", "1C")
        shown = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
        assert [seat.number for seat in shown.seats if seat.status == "mine"] == ["1B", "1C"]
        assert shown.lock == second
        assert second.expires_at == first.expires_at
        with pytest.raises(HoldNotFound):
            await release_lock(work, new_id(), actor=an)
        await release_lock(work, first.id, actor=an)
        assert (await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)).lock == second


async def test_a_choice_on_another_trip_is_a_lock_of_its_own(coach, an):
    async with coach.database.begin() as work:
        out = await coach.lock(work, an, "ae", "1A")
        back = await coach.lock_on(work, coach.return_id, an, "1A")
        assert out.id != back.id
        assert (await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)).lock == out


async def test_a_lost_seat_is_named_with_its_reason_and_the_nearest_free_one(coach, an, bo):
    async with coach.database.begin() as work:
        await coach.sell(work, "ac", "3A")
        await coach.lock(work, bo, "bd", "3B")
        await coach.block(work, "3C")
        earlier = await coach.lock(work, an, "ae", "9A")
        with pytest.raises(SeatsUnavailable) as refusal:
            await coach.lock(work, an, "bd", "3A", "3B", "3C", "3D")
        assert refusal.value.fields == {
            "seats": ["3A", "3B", "3C"],
            "statuses": {"3A": "occupied", "3B": "locked", "3C": "blocked"},
            "alternatives": {"3A": "2A", "3B": "2B", "3C": "2C"},
        }
        assert refusal.value.text() == (
            "Seat 3A is taken on your stretch. Seat 2A near it is free."
            " Somebody else has just chosen seat 3B. Seat 2B near it is free."
            " Seat 3C is not for sale. Seat 2C near it is free."
        )
        shown = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
        assert shown.lock == earlier


async def test_nothing_is_offered_on_a_full_coach(coach, an):
    async with coach.database.begin() as work:
        numbers = [seat.number for seat in coach.departure.seat_plan.seats]
        await coach.sell(work, "ae", *numbers)
        with pytest.raises(SeatsUnavailable) as refusal:
            await coach.lock(work, an, "ac", "3A")
        assert refusal.value.fields["alternatives"] == {}
        assert refusal.value.text() == "Seat 3A is taken on your stretch."


async def test_an_accessible_seat_is_offered_only_for_an_accessible_one(coach, an):
    accessible = [seat.number for seat in coach.departure.seat_plan.seats if seat.accessible]
    ordinary = [seat.number for seat in coach.departure.seat_plan.seats if not seat.accessible]
    assert accessible
    async with coach.database.begin() as work:
        await coach.sell(work, "ae", *ordinary)
        with pytest.raises(SeatsUnavailable) as refusal:
            await coach.lock(work, an, "ae", ordinary[0])
        assert refusal.value.fields["alternatives"] == {}


@pytest.mark.parametrize(
    ("seats", "refusal", "text"),
    [
        (["1A", "1B", "1C", "1D", "2A", "2B"], TooManySeats, "You can choose up to 5 seats at a time."),
        (["1A"] * 100_000, TooManySeats, "You can choose up to 5 seats at a time."),
        (["1A", "1B", "1a"], DuplicateSeats, "You named the same seat more than once: 1A."),
        (["1A", "77Z", "X"], UnknownSeat, "This coach has no such seat: 77Z, X."),
    ],
)
async def test_numbers_that_make_no_sense_are_named(coach, an, seats, refusal, text):
    async with coach.database.begin() as work:
        with pytest.raises(refusal) as raised:
            await coach.lock(work, an, "ae", *seats)
    assert raised.value.text() == text


async def test_no_seat_at_all_is_refused_at_its_field(coach, an):
    async with coach.database.begin() as work:
        with pytest.raises(Invalid) as raised:
            await coach.lock(work, an, "ae")
    assert [(error.field, error.code) for error in raised.value.errors] == [("seatNumbers", "no-seats")]


async def test_rides_that_the_departure_does_not_offer(coach, an):
    async with coach.database.begin() as work:
        for ride in ("ca", "ab", "de"):
            with pytest.raises(NotBoardable):
                await coach.lock(work, an, ride, "1A")
        with pytest.raises(DepartureNotFound):
            await coach.lock_on(work, new_id(), an, "1A")


async def test_who_has_no_session_holds_nothing(coach):
    async with coach.database.begin() as work:
        with pytest.raises(SignInRequired):
            await coach.lock(work, ANONYMOUS, "ae", "1A")
        with pytest.raises(NotAllowed):
            await coach.lock(work, Actor("guest", new_id(), booking_id=new_id()), "ae", "1A")


async def test_sales_close_stop_by_stop(coach, an):
    """Between the first and the third stop, seats are sold from the third on only."""
    departs = coach.departure.calls[0].departure
    later = Database(
        coach.database.url.render_as_string(hide_password=False),
        direct_url=coach.settings.direct_database_url,
        clock=lambda: departs,
    )
    try:
        async with later.begin() as work:
            with pytest.raises(SalesClosed):
                await coach.lock(work, an, "ae", "1A")
            await coach.lock(work, an, "ce", "1A")
    finally:
        await later.dispose()


async def test_a_cancelled_departure_is_not_sold(coach, an):
    async with coach.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", (coach.id,))
        with pytest.raises(SalesClosed):
            await coach.lock(work, an, "ae", "1A")


async def test_the_kernels_own_sales_window_closes_too(coach, an):
    async with coach.database.begin() as work:
        await work.execute("UPDATE inventory SET sales_close_at = clock_timestamp()")
        with pytest.raises(SalesClosed):
            await coach.lock(work, an, "ae", "1A")


async def test_a_ride_without_a_fare_is_not_held(coach, an):
    async with coach.database.begin() as work:
        terms = FareTerms(service_fee=Money.zero("EUR"), sells_by_distance=False)
        await set_fare_terms(work, coach.departure.operator_id, terms)
        with pytest.raises(NotForSale):
            await coach.lock(work, an, "ae", "1A")
        shown = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
        assert (shown.lock, shown.seats[0].price) == (None, None)


async def test_a_lock_is_extended_twice(coach, an):
    async with coach.database.begin() as work:
        lock = await coach.lock(work, an, "ae", "1A")
        left = [(await extend_lock(work, lock.id, actor=an, settings=coach.settings)).extensions_left for _ in range(2)]
        assert left == [1, 0]
        with pytest.raises(ExtensionLimit):
            await extend_lock(work, lock.id, actor=an, settings=coach.settings)


async def test_a_double_click_ends_in_one_lock(coach, an):
    """Two requests of one traveller at the same instant, for other seats each: the one that comes second replaces."""

    async def click(*seats):
        async with coach.database.begin() as work:
            return await coach.lock(work, an, "ae", *seats)

    for seats in (("1A", "1B"), ("2A",), ("1A", "2A")):
        await asyncio.gather(click(*seats), click("1A"), click("3A", "3B"), click(*seats))
        async with coach.database.begin() as work:
            shown = await get_seat_map(work, coach.id, viewer=an, settings=coach.settings)
            cursor = await work.execute("SELECT count(*) FROM hold WHERE owner = %s AND state = 'held'", (an.owner,))
            assert await cursor.fetchone() == (1,)
        mine = tuple(seat.number for seat in shown.seats if seat.status == "mine")
        assert shown.lock is not None
        assert mine == shown.lock.seat_numbers
        assert mine in {seats, ("1A",), ("3A", "3B")}
        assert shown.seats_left == 45


async def test_refusals_speak_the_readers_language(coach, an):
    async with coach.database.begin() as work:
        await coach.sell(work, "ae", "3A")
        with language("vi"), pytest.raises(SeatsUnavailable) as refusal:
            await coach.lock(work, an, "ae", "3A")
    with language("vi"):
        assert "3A" in refusal.value.text()
        assert "{seat}" not in refusal.value.text()
