"""Open returns that are redeemed, given up and ended at the same moment: one outcome each.

That the books are right afterwards is asked at the end of each test (see `exchange`).
"""

import asyncio
from typing import Any

import pytest
from msgspec import structs
from tests.payments.test_exchange_races import outcomes
from tests.payments.test_exchanges import exchange
from tests.payments.test_open_returns import DAY, Returns, returns
from tests.payments.till import paid

from farebox.bookings import NotChangeable, OpenReturnNotFound, TooLateToCancel, get_booking, redeem
from farebox.bookings.queries import get_row
from farebox.core.errors import DomainError
from farebox.core.money import Money
from farebox.payments import Changed, exchanges, verify_ledger

__all__ = ["exchange", "returns"]

ATTEMPTS = range(4)


async def back(returns: Returns, price: int = 2000) -> Any:
    return await returns.box.show(price=price, begins_in=9 * DAY)


def refused(done: list[Any]) -> list[type]:
    return [type(one) for one in done if isinstance(one, DomainError)]


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_redeemed_twice_at_once_it_is_used_once(returns, till, attempt):
    booking, actor, _ = await returns.bought()
    shows = [await back(returns), await back(returns)]
    holds = [await returns.box.hold(actor, show) for show in shows]
    done = await outcomes(*(returns.redeem(booking, hold, actor) for hold in holds))
    assert refused(done) == [OpenReturnNotFound]
    assert await returns.statuses() == ["redeemed"]
    assert sorted([await returns.states(show) for show in shows], key=str) == [{0: "held"}, {0: "sold"}]
    assert (await till.booking(booking)).total == booking.total
    assert await till.tickets() == 2


async def test_control_who_looks_before_the_lock_and_not_again_rides_twice_for_one_price(till, monkeypatch):
    returns = Returns(till)  # without the question at the end whether the books are right
    booking, actor, _ = await returns.bought()
    shows = [await back(returns), await back(returns)]
    holds = [await returns.box.hold(actor, show) for show in shows]
    both_have_looked = asyncio.Barrier(2)

    async def look(work, booking_id, *, actor, lock):
        seen = await get_booking(work, booking_id, actor=actor)
        await both_have_looked.wait()
        return seen

    async def redeem_as_seen(work, booking_id, quote, **more):
        row = await get_row(work, booking_id)
        await work.execute("UPDATE open_return SET status = 'open', item_id = NULL, ended_at = NULL")
        return await redeem(work, booking_id, structs.replace(quote, revision=row.price_revision), **more)

    monkeypatch.setattr(exchanges, "get_booking", look)
    monkeypatch.setattr(exchanges, "redeem", redeem_as_seen)
    async with returns.database.begin() as work:
        await work.execute("ALTER TABLE open_return DISABLE TRIGGER holds")
    done = await outcomes(*(returns.redeem(booking, hold, actor) for hold in holds))
    assert [type(one) for one in done] == [Changed, Changed]
    assert [await returns.states(show) for show in shows] == [{0: "sold"}, {0: "sold"}]
    assert (await till.booking(booking)).total == booking.total
    broken = [verdict.rule for verdict in verify_ledger(till.database.direct_dsn) if verdict.broken]
    assert broken == [
        "each operator's lines are shared out, no more and no less",
        "what is owed for open returns is what was paid for them",
    ]


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_redeemed_and_given_up_at_once_it_is_one_of_them(returns, till, attempt):
    booking, actor, _ = await returns.bought()
    show = await back(returns)
    hold = await returns.box.hold(actor, show)
    ids = [each.id for each in booking.open_returns]
    done = await outcomes(returns.redeem(booking, hold, actor), returns.cancel(booking, actor, open_returns=ids))
    assert refused(done) == [OpenReturnNotFound]
    [status] = await returns.statuses()
    was_redeemed = isinstance(done[0], Changed)
    assert status == ("redeemed" if was_redeemed else "cancelled")
    assert await returns.states(show) == {0: "sold" if was_redeemed else "held"}
    assert await till.charges() == [("applied", 3100, 0 if was_redeemed else 1600)]


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_redeemed_while_all_is_cancelled_nothing_stays(returns, till, attempt):
    """The ride back pays back no more than the open return would have: either way as much is kept."""
    booking, actor, _ = await returns.bought()
    show = await back(returns)
    hold = await returns.box.hold(actor, show)
    done = await outcomes(returns.redeem(booking, hold, actor), returns.cancel(booking, actor))
    after = await till.booking(booking)
    assert (after.status, after.total) == ("cancelled", Money(100 + 400, "EUR"))
    assert refused(done) in ([], [OpenReturnNotFound], [NotChangeable])
    assert await returns.states(show) == ({} if not refused(done) else {0: "held"})
    assert await till.tickets() == 0


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_redeemed_and_ended_at_once_it_is_one_of_them(returns, till, attempt):
    booking, actor, _ = await returns.bought()
    show = await back(returns)
    hold = await returns.box.hold(actor, show)
    quoted = asyncio.Event()

    async def end() -> int:
        await returns.let_end(booking)
        quoted.set()
        ended: int = await returns.end_unused()
        return ended

    async def use() -> Any:
        if attempt % 2:
            await quoted.wait()
        return await returns.redeem(booking, hold, actor)

    done = await outcomes(use(), end())
    [status] = await returns.statuses()
    if isinstance(done[0], Changed):
        assert status == "redeemed"
        assert await returns.states(show) == {0: "sold"}
        assert (await till.charges())[0][2] == 0
    else:
        assert refused(done) in ([NotChangeable], [OpenReturnNotFound])
        assert await returns.end_unused() + done[1] == 1  # one that somebody works on is left for the next time
        assert await returns.statuses() == ["ended"]
        assert await till.charges() == [("applied", 3100, 1600)]


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_given_up_and_ended_at_once_it_is_paid_back_once(returns, till, attempt):
    booking, actor, _ = await returns.bought()
    await returns.let_end(booking)
    ids = [each.id for each in booking.open_returns]
    done = await outcomes(returns.cancel(booking, actor, open_returns=ids), returns.end_unused())
    assert refused(done) in ([], [OpenReturnNotFound], [TooLateToCancel])
    await returns.end_unused()
    assert await till.charges() == [("applied", 3100, 1600)]
    assert (await returns.statuses())[0] in {"cancelled", "ended"}


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_money_for_a_ride_back_and_giving_up_at_once(returns, till, attempt):
    booking, actor, _ = await returns.bought()
    show = await back(returns, price=2500)
    changed = await returns.redeem(booking, await returns.box.hold(actor, show), actor)
    payment = await returns.pay(changed, actor)
    ids = [each.id for each in booking.open_returns]
    done = await outcomes(till.deliver(paid(payment)), returns.cancel(booking, actor, open_returns=ids))
    [status] = await returns.statuses()
    if status == "redeemed":
        assert refused(done) == [OpenReturnNotFound]
        assert await till.charges() == [("applied", 3100, 0), ("applied", 500, 0)]
    else:
        assert (status, refused(done)) == ("cancelled", [])
        assert await till.charges() == [("applied", 3100, 1600), ("unwanted", 500, 500)]
    assert await returns.states(show) == ({0: "sold"} if status == "redeemed" else {})


@pytest.mark.parametrize("attempt", ATTEMPTS)
async def test_two_that_end_them_end_each_once(returns, till, attempt):
    bookings = [(await returns.bought())[0] for _ in range(3)]
    for booking in bookings:
        await returns.let_end(booking)
    done = await asyncio.gather(*(returns.end_unused() for _ in range(3)))
    assert sum(done) == 3
    assert [back for _, _, back in await till.charges()] == [1600] * 3
