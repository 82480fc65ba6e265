"""Open returns with their money: bought, redeemed, given up, not used. That the books are right is asked after each."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from tests.bookings.shows import Show, person, scalar
from tests.payments.test_exchanges import Exchange, exchange, lines_of
from tests.payments.till import Till, disputed, paid

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import (
    Booking,
    BookingChanged,
    BookingNotFound,
    BookingStatus,
    CancelReason,
    ItemDescription,
    NotChangeable,
    OpenReturnNotFound,
    PlaceTime,
    PriceChanged,
    RedeemWish,
    ReturnWish,
    SeatWish,
    TooLateToCancel,
    announce_ends,
    cancel_booking,
    complete_bookings,
    quote_cancellation,
    update_passengers,
    withdraw_change,
)
from farebox.bookings.open_returns import end_moved
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.inventory import Hold, HoldNotFound
from farebox.payments import Changed, ChangeTerms, Disposition, end_unused_returns, issue_invoices, redeem_open_returns
from farebox.payments import cancel_booking as cancel_paid_booking

__all__ = ["exchange"]

DAY = 86_400


class Returns(Exchange):
    """A till at which open returns are bought and redeemed."""

    async def bought(self, units: tuple[int, ...] = (0,), **show: Any) -> tuple[Booking, Actor, Show]:
        """Seats in a show, for which everybody may come again: 10.00, and 20.00 for that."""
        show = {"price": 1000, "return_price": 2000, "begins_in": 5 * DAY} | show
        actor, programme = await self.box.guest(), await self.box.show(**show)
        booking = await self.box.book(actor, await self.box.hold(actor, programme, units), open_return=True)
        await self.till.play(await self.till.start(booking, actor), "succeeded")
        self.till.events.clear()
        return await self.till.booking(booking), actor, programme

    async def redeem(
        self, booking: Booking, hold: Hold, actor: Actor, *open_returns: ReturnWish, **terms: Any
    ) -> Changed:
        async with self.database.begin() as work:
            return await redeem_open_returns(
                work,
                booking.id,
                RedeemWish(hold.id, actor, open_returns),
                actor=actor,
                verticals=self.box.verticals,
                terms=ChangeTerms(window_seconds=1200, **terms),
                signer=self.box.secrets,
            )

    async def cancel(self, booking: Booking, actor: Actor, **what: Any) -> Any:
        async with self.database.begin() as work:
            return await cancel_paid_booking(work, booking.id, actor=actor, **what)

    async def end_unused(self) -> int:
        async with self.database.begin() as work:
            return await end_unused_returns(work, limit=100)

    async def let_end(self, booking: Booking) -> None:
        """Let the time of its open returns be over, which nobody can change but a test."""
        async with self.database.begin() as work:
            await work.execute("ALTER TABLE open_return DISABLE TRIGGER holds")
            await work.execute(
                "UPDATE open_return SET valid_until = now() - interval '1 minute' WHERE booking_id = %s", (booking.id,)
            )
            await work.execute("ALTER TABLE open_return ENABLE TRIGGER holds")

    async def let_begin(self, booking: Booking) -> None:
        """Let the first ride of a booking be over."""
        async with self.database.begin() as work:
            await work.execute(
                "UPDATE booking_item SET starts_at = now() - interval '3 hours',"
                " completes_at = now() - interval '1 hour',"
                " description = jsonb_set(description, '{origin,time}', to_jsonb(now() - interval '3 hours'))"
                " WHERE id = %s",
                (booking.items[0].id,),
            )

    async def statuses(self) -> list[str]:
        """What became of the open returns, in the order of their making."""
        async with self.database.begin() as work:
            cursor = await work.execute("SELECT status FROM open_return ORDER BY id")
            return [row[0] for row in await cursor.fetchall()]


@pytest.fixture
def returns(exchange: Exchange, till: Till) -> Returns:
    return Returns(till)


async def test_it_is_part_of_the_price_and_owed_until_it_is_used(returns, till):
    booking, _, show = await returns.bought((0, 1))
    assert lines_of(booking) == [
        ("fare", "A1", 1000),
        ("fare", "A2", 1000),
        ("fee", None, 100),
        ("fare", None, 2000),
        ("fare", None, 2000),
    ]
    assert booking.total == Money(6100, "EUR")
    assert [each.price for each in booking.open_returns] == [Money(2000, "EUR")] * 2
    assert {each.passenger_id for each in booking.open_returns} == {each.id for each in booking.passengers}
    assert {each.operator_id for each in booking.open_returns} == {show.operator_id}
    assert await till.ledger(booking) == {"clearing": 6100, "sales": -2100, "open-returns": -4000}
    assert await till.tickets() == 2


async def test_where_none_is_sold_none_is_bought(returns):
    actor, show = await returns.box.guest(), await returns.box.show()
    hold = await returns.box.hold(actor, show)
    with pytest.raises(Invalid) as refused:
        await returns.box.book(actor, hold, open_return=True)
    assert [(each.field, each.code) for each in refused.value.errors] == [("openReturn", "open-return-not-sold")]
    booking = await returns.box.book(actor, hold)
    assert booking.open_returns == ()


async def test_who_books_both_ways_needs_none(returns):
    actor = await returns.box.guest()
    holds = [await returns.box.hold(actor, await returns.box.show(return_price=2000)) for _ in range(2)]
    with pytest.raises(Invalid):
        await returns.box.book(actor, *holds, open_return=True)


async def test_before_it_is_paid_it_can_be_chosen_dropped_and_follows_the_people(returns, till):
    actor, show = await returns.box.guest(), await returns.box.show(price=1000, return_price=2000)
    booking = await returns.box.book(actor, await returns.box.hold(actor, show, (0, 1)), open_return=True)

    async def update(**what: Any) -> Booking:
        async with returns.database.begin() as work:
            return await update_passengers(
                work,
                booking.id,
                actor=actor,
                verticals=returns.box.verticals,
                settings=returns.box.settings,
                secrets=returns.box.secrets,
                **what,
            )

    child = await update(passengers=[person("A1"), person("A2", passenger_type="child")])
    assert sorted(each.price.minor for each in child.open_returns) == [1000, 2000]
    assert child.total == Money(1000 + 500 + 100 + 2000 + 1000, "EUR")
    without = await update(open_return=False)
    assert (without.open_returns, without.total) == ((), Money(1600, "EUR"))
    again = await update(open_return=True)
    assert again.total == child.total
    assert await returns.statuses() == ["open", "open"]
    await till.play(await till.start(booking, actor), "succeeded")
    assert await till.ledger(booking) == {"clearing": 4600, "sales": -1600, "open-returns": -3000}


async def test_a_dearer_ride_costs_the_difference(returns, till):
    booking, actor, _ = await returns.bought()
    other = await returns.box.show(price=2500, begins_in=9 * DAY)
    changed = await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    assert changed.waiting is not None
    assert changed.quote.owed == Money(500, "EUR")
    assert await returns.states(other) == {0: "held"}
    assert await returns.statuses() == ["open"]
    await till.play(await returns.pay(changed, actor), "succeeded")
    after = await till.booking(booking)
    assert lines_of(after) == [("fare", "A1", 1000), ("fee", None, 100), ("fare", "A1", 2500)]
    assert [item.resource_id for item in after.items] == [booking.items[0].resource_id, other.id]
    assert [each.full_name for each in after.passengers] == [booking.passengers[0].full_name] * 2
    assert after.reference == booking.reference
    assert await returns.statuses() == ["redeemed"]
    assert await till.ledger(booking) == {"clearing": 3600, "sales": -3600}
    assert await till.tickets() == 2
    assert await till.steps(booking) == [
        "created", "payment-started", "paid", "change-started", "open-return-redeemed",
    ]  # fmt: skip
    assert [each.is_return for each in till.events if isinstance(each, BookingChanged)] == [True]


async def test_an_equal_ride_costs_nothing(returns, till):
    booking, actor, _ = await returns.bought()
    other = await returns.box.show(price=2000, begins_in=9 * DAY)
    changed = await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    assert (changed.waiting, changed.booking.total) == (None, booking.total)
    assert await returns.states(other) == {0: "sold"}
    assert await till.ledger(booking) == {"clearing": 3100, "sales": -3100}
    assert await scalar(returns.database, "SELECT item_id FROM open_return") == changed.booking.items[1].id


async def test_of_what_a_ride_costs_less_a_part_goes_back_as_agreed(returns, till):
    booking, actor, _ = await returns.bought(return_refund_bp=7500)
    other = await returns.box.show(price=1200, begins_in=9 * DAY)
    changed = await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    assert changed.quote.given_back == Money(600, "EUR")
    assert lines_of(changed.booking)[2:] == [("fare", "A1", 1200), ("fee", "A1", 200)]
    assert await till.charges() == [("applied", 3100, 600)]
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 2500, "sales": -2500}


async def test_a_ride_pays_back_no_larger_a_part_than_the_open_return(returns, till):
    """Else whoever wants more of it back would choose a ride first and cancel that."""
    booking, actor, _ = await returns.bought(return_refund_bp=2500)
    other = await returns.box.show(price=2000, begins_in=9 * DAY)
    after = (await returns.redeem(booking, await returns.box.hold(actor, other), actor)).booking
    done = await returns.cancel(after, actor, passengers=[after.items[1].passengers[0].id])
    assert done.refund == Money(500, "EUR")
    assert [line.amount.minor for line in done.booking.lines if line.kind == "fee"] == [100, 1500]


async def test_one_of_two_people_rides_back_and_the_other_later(returns, till):
    booking, actor, _ = await returns.bought((0, 1))
    first, second = booking.open_returns
    shows = [await returns.box.show(price=2000, begins_in=days * DAY) for days in (8, 9)]
    await returns.redeem(booking, await returns.box.hold(actor, shows[0], (2,)), actor, ReturnWish(first.id, "a3"))
    half = await till.booking(booking)
    assert [each.id for each in half.open_returns] == [second.id]
    hold = await returns.box.hold(actor, shows[1])
    with pytest.raises(OpenReturnNotFound):
        await returns.redeem(booking, hold, actor, ReturnWish(first.id))
    await returns.redeem(booking, hold, actor)
    after = await till.booking(booking)
    assert [item.seat_numbers for item in after.items] == [("A1", "A2"), ("A3",), ("A1",)]
    assert after.open_returns == ()
    assert await till.ledger(booking) == {"clearing": 6100, "sales": -6100}
    assert await till.tickets() == 4


async def test_it_is_refused_for_what_it_is_not_for(returns, till):
    booking, actor, _ = await returns.bought(return_days=4)
    late = await returns.box.hold(actor, await returns.box.show(price=2000, begins_in=10 * DAY))
    with pytest.raises(Invalid) as refused:
        await returns.redeem(booking, late, actor)
    assert refused.value.errors[0].code == "open-return-too-late"
    early = await returns.box.hold(actor, await returns.box.show(price=2000, begins_in=DAY // 2))
    with pytest.raises(Invalid) as refused:
        await returns.redeem(booking, early, actor)
    assert refused.value.errors[0].code == "open-return-too-early"
    elsewhere = await returns.box.hold(actor, await returns.box.show(operator="opera"))
    with pytest.raises(Invalid) as refused:
        await returns.redeem(booking, elsewhere, actor)
    assert refused.value.errors[0].code == "other-operator"
    two = await returns.box.hold(actor, await returns.box.show(price=2000, begins_in=7 * DAY), (0, 1))
    with pytest.raises(Invalid) as refused:
        await returns.redeem(booking, two, actor)
    assert refused.value.errors[0].code == "seat-count"
    hold = await returns.box.hold(actor, await returns.box.show(price=2000, begins_in=7 * DAY))
    with pytest.raises(PriceChanged):
        await returns.redeem(booking, hold, actor, expected_total=Money(1, "EUR"))
    with pytest.raises(BookingNotFound):
        await returns.redeem(booking, hold, await returns.box.guest())
    assert await returns.statuses() == ["open"]
    assert await till.booking(booking) == booking


async def test_money_that_comes_after_the_wish_was_withdrawn_goes_back(returns, till):
    booking, actor, _ = await returns.bought()
    other = await returns.box.show(price=2500, begins_in=9 * DAY)
    changed = await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    payment = await returns.pay(changed, actor)
    async with returns.database.begin() as work:
        await withdraw_change(work, booking.id, actor=actor)
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 3100, 0), (Disposition.UNWANTED, 500, 500)]
    assert await returns.statuses() == ["open"]
    assert await returns.states(other) == {}


async def test_it_can_be_used_after_the_first_ride_and_the_booking_waits_for_it(returns, till):
    booking, actor, _ = await returns.bought()
    await returns.let_begin(booking)
    async with returns.database.begin() as work:
        assert await complete_bookings(work) == 0
    other = await returns.box.show(price=2000, begins_in=9 * DAY)
    after = (await returns.redeem(booking, await returns.box.hold(actor, other), actor)).booking
    assert after.status is BookingStatus.CONFIRMED
    completes_at = await scalar(returns.database, "SELECT completes_at FROM booking")
    assert completes_at == after.items[1].completes_at


async def test_the_seat_on_the_way_there_can_be_changed_and_the_open_return_goes_along(returns, till):
    booking, actor, _ = await returns.bought((0, 1))
    other = await returns.box.show(price=1000, begins_in=6 * DAY)
    going = booking.passengers[0]
    changed = await returns.change(booking, await returns.box.hold(actor, other, (3,)), actor, SeatWish(going.id))
    after = changed.booking
    assert after.total == booking.total
    assert {each.passenger_id for each in after.open_returns} == {each.id for each in after.passengers}
    assert await till.ledger(booking) == {"clearing": 6100, "sales": -2100, "open-returns": -4000}
    back = await returns.box.show(price=2000, begins_in=7 * DAY)
    await returns.redeem(after, await returns.box.hold(actor, back, (0, 1)), actor)
    assert await till.ledger(booking) == {"clearing": 6100, "sales": -6100}


async def test_given_up_alone_a_part_is_paid_back_as_agreed(returns, till):
    booking, actor, _ = await returns.bought()
    [open_return] = booking.open_returns
    async with returns.database.begin() as work:
        quote = await quote_cancellation(work, booking.id, actor=actor, open_returns=[open_return.id])
    assert (quote.refund, quote.kept, quote.is_whole) == (Money(1600, "EUR"), Money(400, "EUR"), False)
    done = await returns.cancel(booking, actor, open_returns=[open_return.id], expected_refund=quote.refund)
    assert lines_of(done.booking) == [("fare", "A1", 1000), ("fee", None, 100), ("fee", None, 400)]
    assert done.booking.status is BookingStatus.CONFIRMED
    assert await till.tickets() == 1
    assert await returns.statuses() == ["cancelled"]
    with pytest.raises(OpenReturnNotFound):
        await returns.cancel(booking, actor, open_returns=[open_return.id])
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1500, "sales": -1500}
    reduced = next(event for event in till.events if event.type == "booking.reduced")
    assert (reduced.open_return_ids, reduced.passenger_ids, reduced.refund) == ([open_return.id], [], "16.00")


async def test_with_the_way_there_the_way_back_is_given_up(returns, till):
    booking, actor, _ = await returns.bought((0, 1))
    done = await returns.cancel(booking, actor, passengers=[booking.passengers[0].id])
    assert done.refund == Money(1000 + 1600, "EUR")
    assert [each.passenger_id for each in done.booking.open_returns] == [booking.passengers[1].id]
    whole = await returns.cancel(booking, actor)
    assert whole.refund == Money(1000 + 1600, "EUR")
    assert whole.booking.status is BookingStatus.CANCELLED
    assert whole.booking.total == Money(100 + 400 + 400, "EUR")
    assert await till.make_refunds() == 2
    assert await till.ledger(booking) == {"clearing": 900, "sales": -900}


async def test_all_of_it_after_the_first_ride_is_the_open_return(returns, till):
    booking, actor, _ = await returns.bought()
    await returns.let_begin(booking)
    with pytest.raises(TooLateToCancel):
        await returns.cancel(booking, actor, passengers=[booking.passengers[0].id])
    done = await returns.cancel(booking, actor)
    assert (done.refund, done.booking.status) == (Money(1600, "EUR"), BookingStatus.CONFIRMED)
    with pytest.raises(TooLateToCancel):
        await returns.cancel(booking, actor)
    async with returns.database.begin() as work:
        assert await complete_bookings(work) == 1


async def test_what_the_operator_causes_is_paid_back_in_full(returns, till):
    booking, _, _ = await returns.bought(return_refund_bp=0)
    done = await returns.cancel(booking, SYSTEM, reason=CancelReason.OPERATOR)
    assert done.refund == booking.total == Money(3100, "EUR")


async def test_an_unpaid_booking_gives_its_open_returns_up_for_nothing(returns, till):
    actor, show = await returns.box.guest(), await returns.box.show(price=1000, return_price=2000)
    booking = await returns.box.book(actor, await returns.box.hold(actor, show, (0, 1)), open_return=True)
    async with returns.database.begin() as work:
        part = await cancel_booking(work, booking.id, actor=actor, passengers=[booking.passengers[0].id])
    assert part.total == Money(3100, "EUR")
    async with returns.database.begin() as work:
        alone = await cancel_booking(work, booking.id, actor=actor, open_returns=[part.open_returns[0].id])
    assert (alone.total, alone.open_returns) == (Money(1100, "EUR"), ())
    await till.play(await till.start(booking, actor), "succeeded")
    assert await till.ledger(booking) == {"clearing": 1100, "sales": -1100}


async def test_one_that_is_not_used_ends_once_as_agreed(returns, till):
    booking, actor, _ = await returns.bought()
    assert await returns.end_unused() == 0
    await returns.let_begin(booking)
    await returns.let_end(booking)
    hold = await returns.box.hold(actor, await returns.box.show(price=2000))
    with pytest.raises(NotChangeable):
        await returns.redeem(booking, hold, actor)
    assert [await returns.end_unused(), await returns.end_unused()] == [1, 0]
    after = await till.booking(booking)
    assert lines_of(after) == [("fare", "A1", 1000), ("fee", None, 100), ("fee", None, 400)]
    assert after.open_returns == ()
    assert await returns.statuses() == ["ended"]
    [told] = [event for event in till.events if event.type == "booking.open-returns-ended"]
    assert (told.refund, told.kept, told.currency) == ("16.00", "4.00", "EUR")
    assert await scalar(returns.database, "SELECT reason FROM refund") == "open-return-ended"
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1500, "sales": -1500}
    async with returns.database.begin() as work:
        assert await complete_bookings(work) == 1
    assert (await till.steps(booking))[-2:] == ["open-returns-ended", "arrived"]


@pytest.mark.parametrize(("refund_bp", "back"), [(0, 0), (10_000, 2000)])
async def test_what_ends_is_all_the_operators_or_all_the_travellers(returns, till, refund_bp, back):
    booking, _, _ = await returns.bought(return_refund_bp=refund_bp)
    await returns.let_end(booking)
    assert await returns.end_unused() == 1
    assert await till.charges() == [("applied", 3100, back)]


async def test_a_wish_that_waits_for_its_money_is_not_overtaken_by_the_end(returns, till):
    booking, actor, _ = await returns.bought()
    other = await returns.box.show(price=2500, begins_in=9 * DAY)
    changed = await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    await returns.let_end(booking)
    assert await returns.end_unused() == 0
    await till.play(await returns.pay(changed, actor), "succeeded")
    assert await returns.statuses() == ["redeemed"]


async def test_who_has_one_is_reminded_once_before_its_end(returns, till):
    booking, _, _ = await returns.bought((0, 1), return_days=1)

    async def announce() -> int:
        async with returns.database.begin() as work:
            return await announce_ends(work)

    assert await announce() == 0  # it was bought today
    async with returns.database.begin() as work:
        await work.execute("ALTER TABLE open_return DISABLE TRIGGER holds")
        await work.execute("UPDATE open_return SET created_at = now() - interval '2 days'")
        await work.execute("ALTER TABLE open_return ENABLE TRIGGER holds")
    assert [await announce(), await announce()] == [1, 0]
    [told] = [event for event in till.events if event.type == "booking.open-returns-ending"]
    assert (told.reference, told.valid_until) == (booking.reference, booking.open_returns[0].valid_until)


async def test_a_bank_that_takes_the_money_back_takes_the_way_back_too(returns, till):
    actor, show = await returns.box.guest(), await returns.box.show(price=1000, return_price=2000, begins_in=5 * DAY)
    booking = await returns.box.book(actor, await returns.box.hold(actor, show), open_return=True)
    payment = await till.start(booking, actor)
    await till.play(payment, "succeeded")
    await returns.let_begin(booking)
    await till.deliver(disputed(payment, "opened"))
    await till.deliver(disputed(payment, "lost"))
    after = await till.booking(booking)
    assert (after.status, after.total, after.open_returns) == (BookingStatus.CONFIRMED, Money(1100, "EUR"), ())
    assert await till.ledger(booking) == {"losses": 1100, "sales": -1100}


@pytest.mark.parametrize("later", [10, 1, -3])
async def test_its_end_goes_along_with_the_way_there_as_many_days_after_it(returns, till, later):
    booking, actor, show = await returns.bought((0, 1))
    other = await returns.box.show(price=1000, begins=show.begins + timedelta(days=later))
    hold = await returns.box.hold(actor, other, (0, 1))
    [first, second] = booking.open_returns
    assert first.valid_until - show.begins == timedelta(days=30)
    changed = await returns.change(booking, hold, actor)
    assert changed.quote.seats is not None
    until = first.valid_until + timedelta(days=later)
    assert changed.quote.seats.open_returns_until == until
    after = await till.booking(booking)
    assert [each.valid_until for each in after.open_returns] == [until, until]
    assert [each.id for each in after.open_returns] == [first.id, second.id]
    assert after.price_of_open_returns == booking.price_of_open_returns
    ends = await scalar(returns.database, "SELECT completes_at FROM booking WHERE id = %s", booking.id)
    assert ends == until


async def test_there_and_back_again_it_is_good_as_long_as_before(returns, till):
    booking, actor, show = await returns.bought()
    for days in (15, 0):
        other = await returns.box.show(price=1000, begins=show.begins + timedelta(days=days))
        await returns.change(await till.booking(booking), await returns.box.hold(actor, other), actor)
    [moved], [sold] = (await till.booking(booking)).open_returns, booking.open_returns
    assert moved.valid_until.date() == sold.valid_until.date()


async def test_who_stays_keeps_the_end_and_who_has_none_is_told_of_none(returns, till):
    booking, actor, show = await returns.bought((0, 1))
    other = await returns.box.show(price=1000, begins=show.begins + timedelta(days=4))
    hold = await returns.box.hold(actor, other)
    await returns.change(booking, hold, actor, SeatWish(booking.passengers[1].id))
    after = {each.passenger_id: each.valid_until for each in (await till.booking(booking)).open_returns}
    stays = booking.passengers[0].id
    assert after.pop(stays) == booking.open_returns[0].valid_until
    assert list(after.values()) == [booking.open_returns[1].valid_until + timedelta(days=4)]
    plain, guest, _ = await returns.sold((0,), price=1000, begins_in=5 * DAY)
    changed = await returns.change(plain, await returns.box.hold(guest, other, (2,)), guest)
    assert changed.quote.seats is not None
    assert changed.quote.seats.open_returns_until is None


async def test_who_was_reminded_of_an_earlier_end_is_reminded_again(returns, till):
    booking, actor, _ = await returns.bought()
    async with returns.database.begin() as work:
        await work.execute("UPDATE open_return SET reminded_at = now()")
    other = await returns.box.show(price=1000, begins_in=9 * DAY)
    await returns.change(booking, await returns.box.hold(actor, other), actor)
    assert await scalar(returns.database, "SELECT reminded_at FROM open_return") is None


def test_an_end_is_moved_by_days_of_the_place_whatever_its_clocks_do():
    def ride(day: str) -> ItemDescription:
        at = PlaceTime(name="", place="", time=datetime.fromisoformat(day), timezone="Europe/Berlin")
        return ItemDescription(operator_name="", title="", origin=at, destination=at)

    until = datetime.fromisoformat("2027-03-20T23:59:59+01:00")
    moved = end_moved(until, "Europe/Berlin", ride("2027-03-10T22:30:00+00:00"), ride("2027-03-19T23:30:00+00:00"))
    assert moved.isoformat() == "2027-03-30T23:59:59+02:00"


async def test_nobody_changes_what_was_bought(returns, till):
    booking, _, _ = await returns.bought()
    for change in (
        "UPDATE open_return SET amount_minor = 1",
        "UPDATE open_return SET valid_until = now()",
        "UPDATE open_return SET refund_bp = 1",
        "DELETE FROM open_return",
    ):
        with pytest.raises(psycopg.errors.IntegrityError):
            async with returns.database.begin() as work:
                await work.execute(change)
    await returns.let_end(booking)
    await returns.end_unused()
    with pytest.raises(psycopg.errors.IntegrityError):
        async with returns.database.begin() as work:
            await work.execute("UPDATE open_return SET status = 'open', ended_at = NULL")


async def test_its_lines_are_invoiced_at_once_and_credited_when_the_ride_is_chosen(returns, till):
    booking, actor, _ = await returns.bought(return_refund_bp=7500)

    async def issue() -> list[tuple[str, int]]:
        async with returns.database.begin() as work:
            issued = await issue_invoices(work, booking.id, secrets=returns.box.secrets)
        return [(each.kind, each.total.minor) for each in issued]

    assert await issue() == [("invoice", 3100)]
    other = await returns.box.show(price=1200, begins_in=9 * DAY)
    await returns.redeem(booking, await returns.box.hold(actor, other), actor)
    assert await issue() == [("credit-note", 2000), ("invoice", 1200 + 200)]
    assert await issue() == []


async def test_the_hold_must_be_held(returns, till):
    booking, actor, _ = await returns.bought()
    other = await returns.box.show(price=2000, begins_in=7 * DAY)
    hold = await returns.box.hold(actor, other)
    await returns.redeem(booking, hold, actor)
    second, actor, _ = await returns.bought()
    with pytest.raises(HoldNotFound):
        await returns.redeem(second, replace(hold, owner=actor.owner), actor)
    assert await returns.statuses() == ["redeemed", "open"]
