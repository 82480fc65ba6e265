"""Fifty visitors on one coach, through HTTP, each with a token of their own and a stretch of their own."""

import asyncio
import random
from collections import Counter
from dataclasses import replace
from itertools import combinations
from typing import Any

import httpx
import pytest
from tests.coaches.coach import open_coach

from farebox.app import create_app
from farebox.core.db import Database
from farebox.wiring import build_services

API = "/api/v1"
VISITORS = 50

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture
async def coach(database, settings, tmp_path):
    return await open_coach(database, settings, tmp_path)


@pytest.fixture
async def client(settings, secrets, coach):
    """As many database connections as there are visitors, so that they really meet there."""
    built = build_services(settings)
    crowded = Database(settings.database_url, pool_size=VISITORS)
    app: Any = create_app(replace(built, secrets=secrets, database=crowded))
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app), base_url="http://farebox.example", timeout=60
    ) as client:
        yield client
    await crowded.dispose()
    await built.dispose()


async def test_no_leg_of_any_seat_is_sold_twice(coach, client):
    chance = random.Random(4)
    tokens = [(await client.post(f"{API}/guest-sessions")).json()["guestToken"] for _ in range(VISITORS)]
    rides = [ride for ride in combinations("abcde", 2) if ride[0] != "d" and ride[1] != "b"]
    wishes = [
        (chance.choice(rides), chance.sample(["1A", "1B", "1C", "1D", "2A"], chance.randint(1, 2))) for _ in tokens
    ]

    async def lock(token, ride, seats):
        body = {
            "tripId": str(coach.id),
            "from": str(coach.stop(ride[0])),
            "to": str(coach.stop(ride[1])),
            "seatNumbers": seats,
        }
        return await client.post(f"{API}/seats/lock", json=body, headers={"Authorization": f"Bearer {token}"})

    answers = await asyncio.gather(*(lock(token, *wish) for token, wish in zip(tokens, wishes, strict=True)))
    assert {answer.status_code for answer in answers} == {201, 409}

    sold: Counter[tuple[str, int]] = Counter()
    for answer, (ride, seats) in zip(answers, wishes, strict=True):
        if answer.status_code == 201:
            assert answer.json()["seatNumbers"] == sorted(seats)
            sold.update((seat, leg) for seat in seats for leg in range("abcde".index(ride[0]), "abcde".index(ride[1])))
    assert set(sold.values()) == {1}

    for answer, (ride, seats) in zip(answers, wishes, strict=True):
        if answer.status_code == 409:
            problem = answer.json()
            assert problem["code"] == "seats-unavailable"
            assert set(problem["seats"]) <= set(seats)
            legs = range("abcde".index(ride[0]), "abcde".index(ride[1]))
            for seat in problem["seats"]:
                assert any((seat, leg) in sold for leg in legs)
                assert f"seat {seat}" in problem["detail"] or f"Seat {seat}" in problem["detail"]

    seats_of_plan = coach.departure.seat_plan.seats
    async with coach.database.begin() as work:
        cursor = await work.execute(
            "SELECT unit, slot FROM claim WHERE inventory_id = %s", (coach.departure.inventory_id,)
        )
        claimed = Counter((seats_of_plan[unit].number, slot) for unit, slot in await cursor.fetchall())
    assert claimed == sold
