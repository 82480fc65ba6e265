"""Whatever is changed, renamed, paid, withdrawn and cancelled in any order: what was kept is what is owed."""

import random

import pytest
from tests.payments.test_exchanges import Exchange, exchange
from tests.payments.till import paid

from farebox.bookings import NewName, RenameWish, SeatWish, withdraw_change
from farebox.payments import cancel_booking, rename_passenger

__all__ = ["exchange"]

LATER = 3 * 86_400
STEPS = 8


class Life:
    """A booking of three people on two trips, and what may happen to it."""

    def __init__(self, exchange: Exchange, till, chance: random.Random) -> None:
        self.exchange, self.till, self.chance = exchange, till, chance

    async def begin(self) -> None:
        box = self.exchange.box
        self.actor = await box.guest()
        shows = [await self.show(), await self.show()]
        holds = [await box.hold(self.actor, show, (0, 1, 2)) for show in shows]
        self.booking = await box.book(self.actor, *holds)
        await self.till.play(await self.till.start(self.booking, self.actor), "succeeded")

    async def show(self):
        price = self.chance.choice([1000, 1250, 1500])
        return await self.exchange.box.show(
            price=price, begins_in=LATER, change_fee=self.chance.choice([0, 75]), rename_fee=self.chance.choice([0, 33])
        )

    async def some_people(self):
        """Some of those on one trip."""
        item = self.chance.choice((await self.till.booking(self.booking)).items)
        return self.chance.sample(item.passengers, self.chance.randint(1, len(item.passengers)))

    async def change(self) -> None:
        people = await self.some_people()
        hold = await self.exchange.box.hold(self.actor, await self.show(), range(len(people)))
        wishes = [SeatWish(person.id) for person in people]
        await self.settle(await self.exchange.change(self.booking, hold, self.actor, *wishes))

    async def rename(self) -> None:
        [person, *_] = await self.some_people()
        name = NewName("Tr\u1ea7n Th\u1ecb B\u00ecnh", "passport", f"C{self.chance.randrange(10**6, 10**7)}")
        box = self.exchange.box
        async with self.exchange.database.begin() as work:
            changed = await rename_passenger(
                work,
                self.booking.id,
                RenameWish(person.id, name),
                actor=self.actor,
                settings=box.settings,
                secrets=box.secrets,
            )
        await self.settle(changed)

    async def settle(self, changed) -> None:
        """Pay for a change, in one of the ways in which that can go."""
        if changed.waiting is None:
            return
        payment = await self.exchange.pay(changed, self.actor)
        if self.chance.random() < 0.3:
            async with self.exchange.database.begin() as work:
                await withdraw_change(work, self.booking.id, actor=self.actor)
        for charge in ("one", "again")[: self.chance.randint(1, 2)]:
            await self.till.deliver(paid(payment, charge=f"ch_{payment.id}_{charge}"))

    async def cancel(self) -> None:
        people = await self.some_people()
        if len(people) < len((await self.till.booking(self.booking)).passengers):
            async with self.exchange.database.begin() as work:
                await cancel_booking(
                    work, self.booking.id, actor=self.actor, passengers=[person.id for person in people]
                )


@pytest.mark.parametrize("seed", range(5))
async def test_the_price_is_what_was_kept(exchange, till, seed):
    life = Life(exchange, till, random.Random(seed))
    await life.begin()
    for _ in range(STEPS):
        await life.chance.choices([life.change, life.rename, life.cancel], weights=[5, 2, 1])[0]()
        booking = await till.booking(life.booking)
        assert booking.total.minor == sum(line.amount.minor for line in booking.lines)
        assert booking.total.minor == sum(amount - back for _, amount, back in await till.charges())
        assert await till.tickets() == len(booking.passengers)
