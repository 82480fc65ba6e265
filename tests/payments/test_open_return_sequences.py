"""Whatever is bought, chosen, given up and left unused in any order: what was kept is what is owed."""

import random

import pytest
from tests.payments.test_exchange_sequences import LATER
from tests.payments.test_exchanges import exchange
from tests.payments.test_open_returns import Returns, returns
from tests.payments.till import paid

from farebox.accounts import SYSTEM
from farebox.bookings import ReturnWish, SeatWish, withdraw_change
from farebox.core.errors import DomainError
from farebox.core.money import Money
from farebox.payments import most_to_refund, refund_payment

__all__ = ["exchange", "returns"]

STEPS = 9


class Life:
    """A booking of three people with open returns, and what may happen to it."""

    def __init__(self, returns: Returns, chance: random.Random) -> None:
        self.returns, self.till, self.chance = returns, returns.till, chance

    async def begin(self) -> None:
        self.booking, self.actor, _ = await self.returns.bought(
            (0, 1, 2),
            price=self.chance.choice([1000, 1333]),
            return_price=self.chance.choice([1500, 2001]),
            return_refund_bp=self.chance.choice([0, 3333, 8000, 10_000]),
            begins_in=LATER,
        )

    async def some(self, of):
        """Some of the people or open returns that the booking has now."""
        return self.chance.sample(of, self.chance.randint(1, len(of)))

    async def redeem(self) -> None:
        has = (await self.till.booking(self.booking)).open_returns
        if not has:
            return
        chosen = await self.some(has)
        show = await self.returns.box.show(price=self.chance.choice([700, 1501, 2500]), begins_in=2 * LATER)
        hold = await self.returns.box.hold(self.actor, show, range(len(chosen)))
        wishes = [ReturnWish(each.id) for each in chosen]
        await self.settle(await self.returns.redeem(self.booking, hold, self.actor, *wishes))

    async def settle(self, changed) -> None:
        """Pay for it, in one of the ways in which that can go."""
        if changed.waiting is None:
            return
        payment = await self.returns.pay(changed, self.actor)
        if self.chance.random() < 0.3:
            async with self.returns.database.begin() as work:
                await withdraw_change(work, self.booking.id, actor=self.actor)
        for charge in ("one", "again")[: self.chance.randint(1, 2)]:
            await self.till.deliver(paid(payment, charge=f"ch_{payment.id}_{charge}"))

    async def give_up(self) -> None:
        has = (await self.till.booking(self.booking)).open_returns
        if has:
            ids = [each.id for each in await self.some(has)]
            await self.returns.cancel(self.booking, self.actor, open_returns=ids)

    async def cancel(self) -> None:
        people = (await self.till.booking(self.booking)).passengers
        chosen = await self.some(people)
        if len(chosen) < len(people):
            await self.returns.cancel(self.booking, self.actor, passengers=[person.id for person in chosen])

    async def change(self) -> None:
        item = self.chance.choice((await self.till.booking(self.booking)).items)
        people = await self.some(item.passengers)
        show = await self.returns.box.show(price=self.chance.choice([0, 100, 900, 1250]), begins_in=LATER)
        hold = await self.returns.box.hold(self.actor, show, range(len(people)))
        wishes = [SeatWish(person.id) for person in people]
        await self.settle(await self.returns.change(self.booking, hold, self.actor, *wishes))

    async def allow(self) -> None:
        """The operator takes something off the price, or all that is left of a payment, though a later change may cost
        less than that; never of what is owed for open returns."""
        before = await self.till.booking(self.booking)
        try:
            async with self.returns.database.begin() as work:
                paid = await work.execute(
                    "SELECT id FROM payment WHERE booking_id = %s ORDER BY created_at, id", (self.booking.id,)
                )
                [payment_id] = self.chance.choice(await paid.fetchall())
                _, most = await most_to_refund(work, payment_id, actor=SYSTEM)
                amount = self.chance.choice([Money(100, "EUR"), Money(5000, "EUR"), most, most])
                await refund_payment(work, payment_id, amount, note="late", actor=SYSTEM)
        except DomainError:
            return
        after = await self.till.booking(self.booking)
        assert after.price_of_open_returns == before.price_of_open_returns

    async def end(self) -> None:
        await self.returns.let_end(self.booking)
        await self.returns.end_unused()


@pytest.mark.parametrize("seed", range(8))
async def test_the_price_is_what_was_kept(returns, till, seed):
    life = Life(returns, random.Random(seed))
    await life.begin()
    steps = [life.redeem, life.give_up, life.cancel, life.change, life.allow, life.end]
    for _ in range(STEPS):
        await life.chance.choices(steps, weights=[5, 2, 1, 3, 3, 1])[0]()
        booking = await till.booking(life.booking)
        assert booking.total.minor == sum(line.amount.minor for line in booking.lines)
        assert booking.total.minor == sum(amount - back for _, amount, back in await till.charges())
        assert all(0 <= back <= amount for _, amount, back in await till.charges())
        assert {each.passenger_id for each in booking.open_returns} <= {each.id for each in booking.passengers}
        assert await till.tickets() == len(booking.passengers)
    await till.make_refunds()
