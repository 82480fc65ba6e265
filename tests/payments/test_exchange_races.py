"""Changes that meet other changes, cancellations and money at the same moment: one outcome each.

That the books are right afterwards is asked at the end of each test (see `exchange`).
"""

import asyncio
from typing import Any

import pytest
from tests.bookings.shows import scalar
from tests.payments.test_exchanges import Exchange, exchange
from tests.payments.till import paid

from farebox.bookings import ChangePending, NotChangeable, SeatWish, expire_changes, withdraw_change
from farebox.core.errors import DomainError, Invalid
from farebox.payments import cancel_booking

__all__ = ["exchange"]

LATER = 3 * 86_400
"""Shows far enough ahead to be cancelled at full price, but for the service fee."""


async def outcomes(*deeds: Any) -> list[Any]:
    """What became of each, a refusal by its code. Anything but a refusal is a mistake."""
    done = await asyncio.gather(*deeds, return_exceptions=True)
    for one in done:
        if isinstance(one, BaseException) and not isinstance(one, DomainError):
            raise one
    return done


async def cancel(exchange: Exchange, booking: Any, actor: Any) -> Any:
    async with exchange.database.begin() as work:
        return await cancel_booking(work, booking.id, actor=actor)


@pytest.mark.parametrize("attempt", range(4))
async def test_a_change_and_a_cancellation_leave_nothing_sold(exchange, till, attempt):
    booking, actor, show = await exchange.sold((0,), begins_in=LATER)
    other = await exchange.box.show(begins_in=LATER)
    hold = await exchange.box.hold(actor, other)
    changed, cancelled = await outcomes(exchange.change(booking, hold, actor), cancel(exchange, booking, actor))
    after = await till.booking(booking)
    assert after.status == "cancelled"
    assert after.total.minor == 100  # the service fee, kept
    assert not isinstance(cancelled, DomainError)
    assert not isinstance(changed, DomainError) or isinstance(changed, NotChangeable)
    assert await exchange.states(show) == {}
    assert await exchange.states(other) == ({0: "held"} if isinstance(changed, NotChangeable) else {})
    assert await till.tickets() == 0


@pytest.mark.parametrize("attempt", range(4))
async def test_of_two_changes_of_one_person_one_is_made(exchange, till, attempt):
    booking, actor, show = await exchange.sold((0,))
    others = [await exchange.box.show(), await exchange.box.show()]
    holds = [await exchange.box.hold(actor, other) for other in others]
    wish = SeatWish(booking.passengers[0].id)
    done = await outcomes(*(exchange.change(booking, hold, actor, wish) for hold in holds))
    refused = [one for one in done if isinstance(one, DomainError)]
    assert [type(one) for one in refused] == [Invalid]
    [item] = (await till.booking(booking)).items
    assert item.resource_id in {other.id for other in others}
    assert [await exchange.states(other) for other in others].count({0: "sold"}) == 1
    assert await exchange.states(show) == {}
    assert await till.tickets() == 1


async def test_of_two_changes_that_cost_something_one_waits(exchange):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    holds = [await exchange.box.hold(actor, await exchange.box.show(price=1500)) for _ in range(2)]
    done = await outcomes(*(exchange.change(booking, hold, actor) for hold in holds))
    assert sorted(type(one).__name__ for one in done) == ["ChangePending", "Changed"]
    assert any(isinstance(one, ChangePending) for one in done)


@pytest.mark.parametrize("attempt", range(4))
async def test_money_for_a_change_and_a_cancellation_at_once_keep_no_more_than_the_fee(exchange, till, attempt):
    booking, actor, show = await exchange.sold((0,), price=1000, begins_in=LATER)
    other = await exchange.box.show(price=1500, begins_in=LATER)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await outcomes(till.deliver(paid(payment)), cancel(exchange, booking, actor))
    after = await till.booking(booking)
    assert (after.status, after.total.minor) == ("cancelled", 100)
    assert [await exchange.states(each) for each in (show, other)] == [{}, {}]
    assert sum(amount - back for _, amount, back in await till.charges()) == 100
    assert await till.tickets() == 0


@pytest.mark.parametrize("attempt", range(4))
async def test_money_and_withdrawal_at_once_change_or_pay_back(exchange, till, attempt):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)

    async def withdraw() -> None:
        async with exchange.database.begin() as work:
            await withdraw_change(work, booking.id, actor=actor)

    await outcomes(till.deliver(paid(payment)), withdraw())
    status = await scalar(till.database, "SELECT status FROM booking_change")
    disposition, _, back = (await till.charges())[-1]
    assert (status, disposition, back) in {("applied", "applied", 0), ("withdrawn", "unwanted", 500)}
    [item] = (await till.booking(booking)).items
    assert (item.resource_id == other.id) == (status == "applied")


@pytest.mark.parametrize("attempt", range(4))
async def test_the_sweeper_and_late_money_end_a_change_once(exchange, till, attempt):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await exchange.let_run_out(changed)

    async def sweep() -> None:
        async with exchange.database.begin() as work:
            await expire_changes(work)

    await outcomes(till.deliver(paid(payment)), sweep())
    status = await scalar(till.database, "SELECT status FROM booking_change")
    disposition, _, back = (await till.charges())[-1]
    assert (status, disposition, back) in {("applied", "applied", 0), ("failed", "late", 500)}
    assert await exchange.states(other) == ({0: "sold"} if status == "applied" else {})
