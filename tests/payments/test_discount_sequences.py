"""Codes and allowances beyond what is left of a price: whatever is changed and given afterwards, the sums are right."""

import random

import pytest
from tests.payments.test_exchange_sequences import Life
from tests.payments.test_exchanges import DAY, Exchange, exchange

from farebox.accounts import SYSTEM
from farebox.bookings import SeatWish
from farebox.core.money import Money
from farebox.payments import most_to_refund, refund_payment
from farebox.payments.errors import RefundTooLarge
from farebox.pricing import NewPromotion, make_promotion

__all__ = ["exchange"]

STEPS = 7
SEATS = 12


class CheapLife(Life):
    """Bought with a code, on trips of which some cost next to nothing, under terms of every kind."""

    async def begin(self) -> None:
        box, chance = self.exchange.box, self.chance
        off = {"percent_bp": chance.choice([1000, 9000])} if chance.random() < 0.5 else {"amount": Money(2900, "EUR")}
        async with self.exchange.database.begin() as work:
            await make_promotion(work, NewPromotion(operator_id=None, code="SUMMER", **off), actor=SYSTEM)
        self.actor = await box.guest()
        self.first = await self.show(fee=100)  # so that there is something to pay
        self.free = 3
        holds = [await box.hold(self.actor, show, (0, 1, 2)) for show in (self.first, await self.show())]
        self.booking = await box.book(self.actor, *holds, promo_code="SUMMER")
        payment = await self.till.start(self.booking, self.actor)
        self.payments = [payment.id]
        await self.till.play(payment, "succeeded")

    async def show(self, fee=0):
        chance = self.chance
        return await self.exchange.box.show(
            price=chance.choice([0, 1, 33, 400, 1500]), fee=fee, seats=SEATS,
            begins_in=3 * DAY, change_fee=chance.choice([0, 75, 2000]),
            tiers=chance.choice([((24, 10_000),), ((24, 3_333),), ((100, 10_000), (1, 0))]),
        )  # fmt: skip

    async def change(self) -> None:
        """To another trip; or to other seats of the first one, where what the code gave goes along."""
        booking = await self.till.booking(self.booking)
        [item, *_] = [each for each in booking.items if each.resource_id == self.first.id] or [None]
        if item is None or self.free + len(item.passengers) > SEATS or self.chance.random() < 0.5:
            return await super().change()
        units = range(self.free, self.free + len(item.passengers))
        self.free = units.stop
        hold = await self.exchange.box.hold(self.actor, self.first, units)
        wishes = [SeatWish(person.id) for person in item.passengers]
        return await self.settle(await self.exchange.change(self.booking, hold, self.actor, *wishes))

    async def settle(self, changed) -> None:
        if changed.waiting is not None:
            payment = await self.exchange.pay(changed, self.actor)
            self.payments.append(payment.id)
            await self.till.play(payment, "succeeded")

    async def allow(self) -> None:
        """As much as there is of a payment, or anything less; more than that is refused."""
        payment_id = self.chance.choice(self.payments)
        async with self.exchange.database.begin() as work:
            _, most = await most_to_refund(work, payment_id, actor=SYSTEM)
        with pytest.raises(RefundTooLarge):
            async with self.exchange.database.begin() as work:
                await refund_payment(work, payment_id, most + Money(1, "EUR"), note="Late", actor=SYSTEM)
        if most:
            amount = self.chance.choice([most, Money(self.chance.randint(1, most.minor), "EUR")])
            async with self.exchange.database.begin() as work:
                await refund_payment(work, payment_id, amount, note="Late", actor=SYSTEM)


@pytest.mark.parametrize("seed", range(6))
async def test_no_discount_is_larger_than_what_it_is_off(exchange: Exchange, till, seed):
    life = CheapLife(exchange, till, random.Random(seed))
    await life.begin()
    for _ in range(STEPS):
        await life.chance.choices([life.change, life.allow, life.rename, life.cancel], weights=[5, 3, 1, 1])[0]()
        booking = await till.booking(life.booking)
        assert booking.total.minor == sum(line.amount.minor for line in booking.lines) >= 0
        assert booking.total.minor == sum(amount - back for _, amount, back in await till.charges())
