"""People who hold, change, give back and pay, while everything breaks around them; they note what they were told."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

import pytest
from tests.market import LEGS, Market, Trip, begin_payment, book, pay
from tests.servers import Answer, Client, Server

PEOPLE = 64
PAYING = 8
THINKING_SECONDS = (0.05, 0.25)
"""Between two requests of one person; without it, nothing would be left of a small machine to start a server with."""
RIDES = [(0, LEGS), (0, 2), (2, LEGS), (1, 3)]
POLITE = {200, 201, 409, 410, 503}
"""What anybody may be answered at any time. 410: a hold that ran out while its server was away."""


@dataclass
class Load:
    """What clients were told.

    Attributes:
        acknowledged: locks that somebody was told they have.
        given_up: locks that somebody asked to give back.
        won: for each server, how many locks it has given out, and when it gave out the last.
        answers: how often each status came; `lost` counts connections that ended without one.
        rude: answers that nobody should get.
    """

    acknowledged: set[UUID] = field(default_factory=set)
    given_up: set[UUID] = field(default_factory=set)
    won: Counter[int] = field(default_factory=Counter)
    paid: int = 0
    answers: Counter[str] = field(default_factory=Counter)
    rude: list[Answer] = field(default_factory=list)
    slowest: float = 0.0

    def note(self, answer: Answer) -> Answer:
        code = answer.body.get("code") if answer.status >= 400 else None
        self.answers[f"{answer.status} {code}" if code else str(answer.status)] += 1
        self.slowest = max(self.slowest, answer.seconds)
        if answer.status not in POLITE and code != "lock-not-found":
            self.rude.append(answer)
        return answer

    async def until_served(self, servers: Sequence[Server], seconds: float) -> float:
        """Wait until each server gives out seats again; how long that took. Fails when it takes longer."""
        began = time.monotonic()
        before = Counter(self.won)
        while any(self.won[server.port] <= before[server.port] for server in servers):
            if time.monotonic() - began > seconds:
                ends = {server.port: (server.process.exitcode, server.log[-2000:]) for server in servers}
                pytest.fail(f"no seat given out in {seconds} s: {self.answers}, {ends}")
            await asyncio.sleep(0.02)
        return time.monotonic() - began


@asynccontextmanager
async def loading(shop: Market, trips: Sequence[Trip]) -> AsyncIterator[Load]:
    """Sixty-four people at work at all servers, for the time of the block."""
    load = Load()
    people = await shop.buyers(PEOPLE)
    tasks = [
        asyncio.create_task(
            _go_on(load, client, _buy(load, shop, trips) if number < PAYING else _choose(load, shop, trips))
        )
        for number, client in enumerate(people)
    ]
    try:
        yield load
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for client in people:
            await client.close()
    failed = [task.exception() for task in tasks if not task.cancelled() and task.exception()]
    assert failed == []


def _choose(load, shop, trips):
    """Hold one or two seats, on any trip; now and then give them back."""
    chance = random.Random(shop.servers[0].port)

    async def once(client: Client) -> None:
        trip, seats = chance.choice(trips), chance.sample(shop.seats, chance.randint(1, 2))
        answer = await _lock(load, client, trip, seats, chance.choice(RIDES))
        if answer.status == 201 and chance.random() < 0.2:
            load.given_up.add(UUID(answer.body["lockId"]))
            load.note(await client.send("DELETE", f"/seats/lock/{answer.body['lockId']}"))

    return once


def _buy(load, shop, trips):
    """Hold a seat, book it, pay."""
    chance = random.Random(shop.servers[0].port + 1)

    async def once(client: Client) -> None:
        held = await _lock(load, client, chance.choice(trips), [chance.choice(shop.seats)], chance.choice(RIDES))
        if held.status != 201:
            return
        load.given_up.add(UUID(held.body["lockId"]))  # its booking's from now on, and ends with it
        made = load.note(await book(client, [held.body]))
        if made.status != 201:
            return
        payment = load.note(await begin_payment(client, made.body["bookingId"]))
        if payment.status == 201:
            load.paid += load.note(await pay(client, payment.body["paymentId"])).status == 200

    return once


async def _lock(load: Load, client: Client, trip: Trip, seats: list[str], ride: tuple[int, int]) -> Answer:
    answer = load.note(await client.send("POST", "/seats/lock", trip.wish(ride, seats)))
    if answer.status == 201:
        load.acknowledged.add(UUID(answer.body["lockId"]))
        load.won[client.server.port] += 1
    return answer


async def _go_on(load, client, once):
    while True:
        await asyncio.sleep(random.uniform(*THINKING_SECONDS))
        try:
            await once(client)
        except (OSError, EOFError):
            load.answers["lost"] += 1
            with suppress(OSError):
                await client.close()
