"""Search, suggestions and the strip of days: inside the process, and through HTTP."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlencode
from uuid import UUID

from benchmarks.measure import Result, summarise, time_each
from benchmarks.stage import Client, Stage
from farebox.core.db import Database
from farebox.search import TripQuery, neighbouring_days, search_trips, suggest_places

QUESTIONS = 400
SEED = 20261120

SEARCH_TARGET_MS = 25
DAYS_TARGET_MS = 15
SUGGEST_TARGET_MS = 5


@dataclass(frozen=True, slots=True)
class Question:
    """From where to where and when somebody travels."""

    origin: UUID
    destination: UUID
    day: date


async def draw_questions(database: Database, count: int = QUESTIONS) -> list[Question]:
    """Questions as people ask them: each is a ride on a departure drawn at random, so busy pairs come up often."""
    async with database.begin() as work:
        cursor = await work.execute("SELECT id FROM departure WHERE base_at > %s ORDER BY id", [work.now])
        departures = [row[0] for row in await cursor.fetchall()]
        dice = random.Random(SEED)
        drawn = [dice.choice(departures) for _ in range(count * 2)]
        cursor = await work.execute(
            "SELECT d.id, c.place_id, (d.base_at + c.departure_s * interval '1 second') AT TIME ZONE s.timezone"
            " FROM departure d JOIN call c ON c.journey_id = d.journey_id JOIN stop s ON s.id = c.stop_id"
            " WHERE d.id = ANY(%s) ORDER BY d.id, c.position",
            [drawn],
        )
        calls: dict[UUID, list[tuple[UUID, date]]] = {}
        for departure_id, place_id, leaves in await cursor.fetchall():
            calls.setdefault(departure_id, []).append((place_id, leaves.date()))
    questions = []
    for departure_id in drawn:
        one, other = sorted(dice.sample(range(len(calls[departure_id])), 2))
        (origin, day), (destination, _) = calls[departure_id][one], calls[departure_id][other]
        if origin != destination:
            questions.append(Question(origin, destination, day))
    return questions[:count]


async def draw_typed(database: Database, count: int = QUESTIONS) -> list[str]:
    """What people type on their way to a name: its first letters, some of them wrong."""
    async with database.begin() as work:
        cursor = await work.execute("SELECT name FROM place ORDER BY departures DESC, id LIMIT 200")
        names = [row[0] for row in await cursor.fetchall()]
    dice = random.Random(SEED)
    typed = []
    for _ in range(count):
        letters = list(dice.choice(names)[: dice.randrange(2, 12)].lower())
        if len(letters) > 4 and dice.random() < 0.2:
            letters.pop(dice.randrange(1, len(letters)))
        typed.append("".join(letters))
    return typed


async def measure_search(stage: Stage) -> tuple[list[Result], list[Question]]:
    """In this process, each question in a unit of work of its own."""
    database = Database(stage.dsn)
    questions = await draw_questions(database)
    found: list[int] = []

    async def search(question: Question) -> None:
        async with database.begin() as work:
            query = TripQuery(from_id=question.origin, to_id=question.destination, date=question.day)
            found.append((await search_trips(work, query)).total)

    async def days(question: Question) -> None:
        async with database.begin() as work:
            await neighbouring_days(work, question.origin, question.destination, question.day)

    async def suggest(typed: str) -> None:
        async with database.begin() as work:
            await suggest_places(work, typed)

    searched = await time_each(search, questions)
    strips = await time_each(days, questions)
    suggested = await time_each(suggest, await draw_typed(database))
    await database.dispose()
    facts = f"{sum(found) / len(found):.0f} trips a search, at most {max(found)}"
    return [
        summarise("Search", "trips on a day", searched, facts=facts, target=SEARCH_TARGET_MS),
        summarise("Search", "seven days with prices", strips, target=DAYS_TARGET_MS),
        summarise("Search", "suggestions", suggested, target=SUGGEST_TARGET_MS),
    ], questions


async def measure_search_over_http(port: int, questions: Sequence[Question]) -> list[Result]:
    """Through the socket of `farebox serve`, on one connection."""
    client = await Client(port).open()

    async def search(question: Question) -> None:
        asked = {"from": question.origin, "to": question.destination, "date": question.day}
        await client.get(f"/trips/search?{urlencode(asked)}")

    times = await time_each(search, questions)
    await client.close()
    return [summarise("Search", "trips on a day, HTTP", times, target=SEARCH_TARGET_MS)]
