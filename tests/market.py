"""A coach line on sale at several servers of one database, and the people who want its seats."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import psycopg
from psycopg import AsyncConnection
from psycopg.rows import TupleRow
from tests.coaches.coach import STOPS, open_coach
from tests.servers import Answer, Client, Server, serving, sign_in

from farebox.core.db import Database
from farebox.core.settings import load_settings
from farebox.timetable import list_departures

LEGS = len(STOPS) - 1
DAYS = 30
AIM_SECONDS = 0.3
LONGEST_AIM_SECONDS = 1.5
"""Together well below the three seconds for which anybody waits for a lock."""

PERSON = {"fullName": "Nguyễn Văn An", "idType": "citizen_id", "idNumber": "001099012345", "phone": "0912345678"}
CONTACT = {"email": "an.nguyen@example.com", "phone": "0912345678"}


@dataclass(frozen=True)
class Trip:
    """One departure: its id, the run that the kernel knows it by, and its stops in order."""

    id: UUID
    inventory_id: int
    stops: tuple[UUID, ...]

    def wish(self, ride: tuple[int, int], seats: Sequence[str]) -> dict[str, object]:
        """The body that asks for seats from one call to another."""
        return {
            "tripId": str(self.id),
            "from": str(self.stops[ride[0]]),
            "to": str(self.stops[ride[1]]),
            "seatNumbers": list(seats),
        }


@dataclass
class Market:
    """What is on sale, and where.

    Attributes:
        dsn: the database itself, past any pooler.
        seats: numbers of the seats of every coach; a seat's place in the list is the kernel's unit.
    """

    servers: list[Server]
    dsn: str
    seats: list[str]
    days: Iterator[tuple[Trip, Trip]]
    tokens: list[str] = field(default_factory=list)

    def trip(self) -> Trip:
        """A departure that no other test has seen."""
        return next(self.days)[0]

    def round_trip(self) -> tuple[Trip, Trip]:
        return next(self.days)

    async def buyers(self, count: int) -> list[Client]:
        """So many guests, in turn at one server and the next, with their connections open."""
        missing = count - len(self.tokens)
        if missing > 0:
            new = await sign_in(self.servers, missing)
            self.tokens += [client.token for client in new]
            for client in new:
                await client.close()
        clients = [
            Client(self.servers[number % len(self.servers)], token) for number, token in enumerate(self.tokens[:count])
        ]
        for client in clients:
            await client.connect()
        return clients

    async def race(self, trip: Trip, attempts: Iterable[Awaitable[Answer]]) -> list[Answer]:
        """Let all attempts at a trip loose, with a starting gun in the database itself.

        Whoever takes seats locks the run's row in a way that many can share. Here it is locked against all, until those
        at both servers wait for it; then they go on in the same instant.
        """
        for server in self.servers:  # what everybody asks for first is remembered, so that all come to the line
            await Client(server).send("GET", f"/trips/{trip.id}/seats")
        async with await AsyncConnection.connect(self.dsn) as gun:
            await gun.execute("SELECT FROM inventory WHERE id = %s FOR UPDATE", [trip.inventory_id])
            running = [asyncio.ensure_future(attempt) for attempt in attempts]
            deadline = time.monotonic() + LONGEST_AIM_SECONDS
            while time.monotonic() < deadline and await _waiting(gun) < len(self.servers):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
            await asyncio.sleep(AIM_SECONDS)
        return list(await asyncio.gather(*running))

    def sold(self, trip: Trip) -> Counter[tuple[str, int]]:
        """(seat, leg) -> how many have it, now."""
        with psycopg.connect(self.dsn) as connection:
            rows = connection.execute(
                "SELECT unit, slot FROM claim WHERE inventory_id = %s"
                " AND (expires_at IS NULL OR expires_at > clock_timestamp())",
                [trip.inventory_id],
            )
            return Counter((self.seats[unit], slot) for unit, slot in rows)


@contextmanager
def market(database_url: str, direct_url: str, home: Path, settings: Sequence[dict[str, str]]) -> Iterator[Market]:
    """Sell a line at as many servers as there are `settings`, for the time of the block."""
    where = {"DATABASE_URL": database_url, "DIRECT_DATABASE_URL": direct_url}
    dsn, seats, days = asyncio.run(_put_on_sale(database_url, direct_url, home))
    with serving(home, [where | own for own in settings]) as servers:
        yield Market(servers, dsn, seats, iter(days))


async def _waiting(connection: AsyncConnection[TupleRow]) -> int:
    """How many sessions of this database wait for a lock."""
    cursor = await connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    row = await cursor.fetchone()
    assert row is not None
    return int(row[0])


async def lock(client: Client, trip: Trip, ride: tuple[int, int], seats: Sequence[str]) -> Answer:
    return await client.insist("POST", "/seats/lock", trip.wish(ride, seats))


async def book(client: Client, locks: Sequence[Mapping[str, object]]) -> Answer:
    """Book what was locked, one person a seat."""
    people = [PERSON | {"seatNumber": seat, "lockId": each["lockId"]} for each in locks for seat in _seats_of(each)]
    form = {"lockIds": [each["lockId"] for each in locks], "passengers": people, "contact": CONTACT}
    return await client.insist("POST", "/bookings", form)


async def begin_payment(client: Client, booking_id: str) -> Answer:
    return await client.insist("POST", "/payments/intent", {"bookingId": booking_id, "method": "sandbox"})


async def pay(client: Client, payment_id: str) -> Answer:
    """The provider says that the money has come."""
    return await client.insist("POST", f"/payments/sandbox/{payment_id}", {"outcome": "succeeded"})


def _seats_of(each: Mapping[str, object]) -> list[str]:
    seats = each["seatNumbers"]
    assert isinstance(seats, list)
    return seats


async def _put_on_sale(
    database_url: str, direct_url: str, home: Path
) -> tuple[str, list[str], list[tuple[Trip, Trip]]]:
    settings = load_settings({}, env="demo", home=home, database_url=database_url, direct_database_url=direct_url)
    database = Database(database_url, direct_url=direct_url)
    coach = await open_coach(database, settings, home, days=DAYS)
    stops = tuple(call.stop_id for call in coach.departure.calls)
    days = []
    async with database.begin() as work:
        for day in range(DAYS - 1):
            listed = await list_departures(work, coach.departure.service_date + timedelta(days=day))
            out, back = sorted(listed, key=lambda summary: summary.departs_at)
            days.append((Trip(out.id, out.inventory_id, stops), Trip(back.id, back.inventory_id, stops[::-1])))
    dsn = database.direct_dsn
    await database.dispose()
    return dsn, [seat.number for seat in coach.departure.seat_plan.seats], days
