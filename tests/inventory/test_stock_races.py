"""Many who take, keep, give back and sweep units and stock of the same runs at once: nobody waits in a circle."""

import asyncio
import random
from collections import Counter
from uuid import UUID

import pytest
from tests.inventory.kernel import value

from farebox.core.errors import DomainError
from farebox.inventory import (
    Amount,
    HoldTerms,
    InventorySpec,
    Want,
    confirm,
    extend,
    get_hold,
    lock_holds,
    open_inventories,
    rearm,
    reclaim,
    release,
    release_units,
    swap,
    sweep,
    take,
)

SHORT = HoldTerms(ttl_seconds=1, max_extensions=5, max_total_seconds=10)
PEOPLE, COMMANDS, UNITS, SLOTS = 12, 25, 6, 6


@pytest.fixture
async def market(make_database):
    database = make_database(pool_size=PEOPLE)
    yield database
    await database.dispose()


class Somebody:
    """Who goes on at random. The holds are everybody's, so that commands meet."""

    def __init__(self, number, runs, holds):
        self.random = random.Random(number)
        self.owner, self.runs, self.holds = f"guest:{number % 5}", runs, holds

    def stretch(self):
        first = self.random.randrange(SLOTS)
        return first, self.random.randint(first + 1, SLOTS)

    def wants(self):
        return [
            Want(run, (self.random.randrange(UNITS),), *self.stretch())
            for run in self.random.sample(self.runs, self.random.randint(0, 1))
        ]

    def amounts(self):
        return [
            Amount(run, self.random.randint(1, 3), *self.stretch())
            for run in self.random.sample(self.runs, self.random.randint(1, 3))
        ]

    async def act(self, work):
        if self.random.random() < 0.5 or not self.holds:
            own = self.random.random() < 0.5
            hold = await take(
                work, self.wants(), amounts=self.amounts(), owner=self.owner, terms=SHORT, replaces_own=own
            )
            self.holds.append(hold.id)
            return
        hold_id, other_id = self.random.choices(self.holds[-40:], k=2)
        hold = await get_hold(work, hold_id)
        match self.random.randrange(8):
            case 0:
                await confirm(work, hold_id)
            case 1:
                await extend(work, hold_id, owner=hold.owner, terms=SHORT)
            case 2:
                await rearm(work, hold_id, seconds=1)
            case 3:
                await sweep(work)
            case 4:
                await reclaim(work, hold_id)
            case 5:
                await swap(work, hold_id, self.wants(), amounts=self.amounts())
            case 6 if hold.amounts:
                part = hold.amounts[0]
                await release_units(work, hold_id, [], [Amount(part.inventory_id, 1, part.first_slot, part.end_slot)])
            case _:
                await lock_holds(work, [hold_id, other_id])
                await release(work, hold_id)
                await release(work, other_id)


async def test_crossing_commands_never_wait_for_each_other_in_a_circle(market):
    async with market.begin() as work:
        runs = await open_inventories(work, [InventorySpec(UNITS, SLOTS, capacity=12)] * 4)
    holds: list[UUID] = []
    answers: Counter[str] = Counter()

    async def live(number):
        somebody = Somebody(number, runs, holds)
        for _ in range(COMMANDS):
            try:
                async with market.begin() as work:
                    await somebody.act(work)
                answers["done"] += 1
            except DomainError as refusal:
                answers[refusal.code] += 1

    await asyncio.gather(*(live(number) for number in range(PEOPLE)))
    assert "busy" not in answers
    assert answers["done"] > PEOPLE
    assert answers["stock-gone"] > 0
    async with market.begin() as work:
        sums = """
            SELECT count(*) FROM capacity WHERE taken <> (
                SELECT coalesce(sum(quantity), 0) FROM portion WHERE portion.inventory_id = capacity.inventory_id
                AND capacity.slot >= first_slot AND capacity.slot < end_slot)"""
        assert await value(work, sums) == 0
        strays = """
            SELECT count(*) FROM portion LEFT JOIN hold ON hold.id = hold_id
            WHERE coalesce(hold.state, '') NOT IN ('held', 'confirmed')
            OR hold.expires_at IS DISTINCT FROM portion.expires_at"""
        assert await value(work, strays) == 0
