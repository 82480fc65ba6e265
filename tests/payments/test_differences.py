"""Changes to seats that cost less: what goes back of the difference is what a cancellation would pay back now."""

import pytest
from tests.bookings.shows import scalar
from tests.payments.test_exchanges import DAY, Exchange, exchange, lines_of

from farebox.accounts import Actor, Permission
from farebox.bookings import ChangeWish, SeatWish, quote_change
from farebox.bookings.moving import DIFFERENCE_KEPT
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import cancel_booking, refund_payment

__all__ = ["exchange"]

HALF = ((72, 10_000), (1, 5_000))
"""Of a show tomorrow, half of the price is paid back."""


async def cancelled(exchange: Exchange, booking, actor):
    async with exchange.database.begin() as work:
        return (await cancel_booking(work, booking.id, actor=actor)).refund


async def less(exchange: Exchange, booking, show, minor: int) -> None:
    """The operator takes something off the price, for a broken seat."""
    payment_id = await scalar(exchange.database, "SELECT id FROM payment WHERE booking_id = %s", booking.id)
    admin = Actor("user", new_id(), grants=((show.operator_id, frozenset(Permission)),))
    async with exchange.database.begin() as work:
        await refund_payment(work, payment_id, Money(minor, "EUR"), note="A broken seat", actor=admin)


async def test_a_seat_that_pays_nothing_back_pays_no_difference_back(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=2000)  # its last moment to cancel was just now
    changed = await exchange.change(booking, await exchange.box.hold(actor, await exchange.box.show(price=500)), actor)
    assert changed.quote.given_back == changed.quote.owed == Money(0, "EUR")
    assert lines_of(changed.booking) == [("fee", None, 100), ("fare", "A1", 500), ("fee", "A1", 1500)]
    kept = changed.quote.added[-1]
    assert (kept.label, kept.facts) == (DIFFERENCE_KEPT, {"seat": "A1", "former": "A1", "percent": "0"})
    assert kept.tax_included == Money(137, "EUR")
    assert await till.charges() == [("applied", 2100, 0)]
    assert await till.ledger(booking) == {"clearing": 2100, "sales": -2100}


async def test_half_of_the_difference_goes_back_where_half_of_the_price_would(exchange, till):
    booking, actor, _ = await exchange.sold((0, 1), price=2000, tiers=HALF)
    hold = await exchange.box.hold(actor, await exchange.box.show(price=501), (0, 1))
    changed = await exchange.change(booking, hold, actor)
    assert changed.quote.given_back == Money(1499, "EUR")
    prices, kept = changed.quote.added[:2], changed.quote.added[2:]
    assert [(line.kind, line.amount.minor) for line in prices] == [("fare", 501)] * 2
    assert [(line.kind, line.amount.minor) for line in kept] == [("fee", 750), ("fee", 749)]
    assert {line.seat_number for line in prices} == {line.seat_number for line in kept} == {"A1", "A2"}
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 2601, "sales": -2601}


async def test_the_change_fee_is_paid_out_of_the_difference_before_anything_is_kept(exchange):
    booking, actor, _ = await exchange.sold((0,), price=2000, tiers=HALF, change_fee=200)
    changed = await exchange.change(booking, await exchange.box.hold(actor, await exchange.box.show(price=1000)), actor)
    assert [line.amount.minor for line in changed.quote.added] == [1000, 200, 400]
    assert changed.quote.given_back == Money(400, "EUR")


async def test_who_changes_the_operators_way_gives_no_more_back_than_the_terms(exchange):
    booking, actor, show = await exchange.sold((0,), price=2000, tiers=HALF)
    may = frozenset({Permission.BOOKINGS_READ, Permission.BOOKINGS_CHANGE, Permission.PASSENGERS_READ})
    agent = Actor("user", new_id(), grants=((show.operator_id, may),))
    hold = await exchange.box.hold(actor, await exchange.box.show(price=1000))
    async with exchange.database.begin() as work:
        quote = await quote_change(
            work, booking.id, ChangeWish(hold.id, actor), actor=agent, verticals=exchange.box.verticals
        )
    assert quote.given_back == Money(500, "EUR")


@pytest.mark.parametrize("price", [0, 400, 1999])
async def test_to_change_first_and_cancel_then_pays_back_what_a_cancellation_alone_does(exchange, price):
    booking, actor, _ = await exchange.sold((0,), price=2000, tiers=HALF)
    later = await exchange.box.show(price=price, tiers=HALF, begins_in=9 * DAY)
    changed = await exchange.change(booking, await exchange.box.hold(actor, later), actor)
    assert changed.quote.given_back + await cancelled(exchange, booking, actor) == Money(1000, "EUR")


async def test_what_was_kept_stays_where_the_seat_is_changed_again_and_is_not_paid_back(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=2000, tiers=HALF)
    cheap = await exchange.box.show(price=1000, tiers=HALF)
    await exchange.change(booking, await exchange.box.hold(actor, cheap, (1,)), actor)
    await exchange.change(booking, await exchange.box.hold(actor, cheap, (2,)), actor)
    assert lines_of(await till.booking(booking)) == [("fee", None, 100), ("fee", "A3", 500), ("fare", "A3", 1000)]
    assert await till.charges() == [("applied", 2100, 500)]
    assert await cancelled(exchange, booking, actor) == Money(500, "EUR")


async def test_an_allowance_goes_along_as_far_as_the_new_seat_costs_so_much(exchange, till):
    """The operator had given 15.00 back; what is left of the price is all that can come back."""
    booking, actor, show = await exchange.sold((0,), price=2000, begins_in=3 * DAY)
    await less(exchange, booking, show, 1500)
    hold = await exchange.box.hold(actor, await exchange.box.show(price=400))
    changed = await exchange.change(booking, hold, actor)
    assert lines_of(changed.booking) == [("fee", None, 100), ("discount", None, -400), ("fare", "A1", 400)]
    assert (changed.booking.total, changed.quote.given_back) == (Money(100, "EUR"), Money(500, "EUR"))
    before, after = changed.quote.before.minor, changed.quote.after.minor
    gone, added = ([line.amount.minor for line in lines] for lines in (changed.quote.gone, changed.quote.added))
    assert (gone, added) == ([2000, -1100], [400])
    assert before - sum(gone) + sum(added) == after
    assert await till.charges() == [("applied", 2100, 2000)]


async def test_who_leaves_takes_the_own_part_of_an_allowance_along(exchange, till):
    booking, actor, show = await exchange.sold((0, 1), price=1000, begins_in=3 * DAY)
    await less(exchange, booking, show, 1500)
    hold = await exchange.box.hold(actor, await exchange.box.show(price=300), (2,))
    changed = await exchange.change(booking, hold, actor, SeatWish(booking.passengers[0].id))
    assert lines_of(changed.booking) == [
        ("fare", "A2", 1000),
        ("fee", None, 100),
        ("discount", None, -750),
        ("discount", None, -300),
        ("fare", "A3", 300),
    ]
    assert changed.quote.given_back == Money(250, "EUR")


async def test_an_allowance_is_not_won_twice_by_changing(exchange):
    """It was paid out; a dearer seat costs what it costs more than the old one did before."""
    booking, actor, show = await exchange.sold((0,), price=1000, begins_in=3 * DAY)
    await less(exchange, booking, show, 900)
    changed = await exchange.change(booking, await exchange.box.hold(actor, await exchange.box.show(price=1200)), actor)
    assert changed.quote.owed == Money(200, "EUR")
