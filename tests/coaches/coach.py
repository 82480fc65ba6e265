"""A coach to sell seats on."""

from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from uuid import UUID

from tests.keeping import fill
from tests.search.feeds import SmallFeed, at, days_from

from farebox.accounts import Actor, open_guest_session
from farebox.coaches import Office, SeatLock, lock_seats
from farebox.core.db import Database, UnitOfWork
from farebox.core.settings import Settings
from farebox.inventory import Desk, HoldTerms, Want, block, confirm, take
from farebox.pricing import import_fares
from farebox.timetable import Departure, OnSale, get_departure, import_feed, list_departures

STOPS = ("ahorn", "bach", "cella", "dorf", "eich")


@dataclass(frozen=True, slots=True)
class Coach:
    """A departure of tomorrow; `return_id` leaves five hours later the other way round."""

    database: Database
    settings: Settings
    departure: Departure
    return_id: UUID

    @property
    def id(self) -> UUID:
        return self.departure.id

    def stop(self, letter: str) -> UUID:
        """The stop by its first letter."""
        return self.departure.calls["abcde".index(letter)].stop_id

    async def guest(self, work: UnitOfWork) -> Actor:
        session, _ = await open_guest_session(work, ttl_seconds=3600)
        return Actor("guest", session.id)

    async def lock(self, work: UnitOfWork, actor: Actor, ride: str, *seats: str) -> SeatLock:
        """Hold seats on a ride such as "ac"."""
        return await self.lock_on(work, self.id, actor, *seats, between=(self.stop(ride[0]), self.stop(ride[1])))

    async def lock_on(
        self,
        work: UnitOfWork,
        departure_id: UUID,
        actor: Actor,
        *seats: str,
        between: tuple[UUID | None, UUID | None] = (None, None),
    ) -> SeatLock:
        """Hold seats on any departure, as a process does that has just started."""
        office = Office(self.database, Desk(self.database, group_commit=False))
        try:
            return await lock_seats(
                work, departure_id, *between, seats, actor=actor, settings=self.settings, office=office
            )
        finally:
            await office.dispose()

    async def sell(self, work: UnitOfWork, ride: str, *seats: str) -> None:
        hold = await take(work, [self.want(ride, *seats)], owner="booking:1", terms=HoldTerms.of(self.settings))
        await confirm(work, hold.id)

    async def block(self, work: UnitOfWork, *seats: str) -> None:
        await block(work, [self.want("ae", *seats)], owner="crew")

    def want(self, ride: str, *seats: str) -> Want:
        units = tuple(self.unit(seat) for seat in seats)
        return Want(self.departure.inventory_id, units, "abcde".index(ride[0]), "abcde".index(ride[1]))

    def unit(self, number: str) -> int:
        return [seat.number for seat in self.departure.seat_plan.seats].index(number)


async def open_coach(
    database: Database, settings: Settings, folder: Path, *, seat_plan: str = "standard-45", days: int = 5
) -> Coach:
    today = database.clock().date()
    await fill(
        database,
        (today, seat_plan, days),
        lambda: _import_coach(database, folder, today, seat_plan=seat_plan, days=days),
    )
    async with database.begin() as work:
        listed = await list_departures(work, today + timedelta(days=1))
        out, back = sorted(listed, key=lambda summary: summary.departs_at)
        return Coach(database, settings, await get_departure(work, out.id), back.id)


async def _import_coach(database: Database, folder: Path, today: date, *, seat_plan: str, days: int) -> None:
    feed = SmallFeed(timezone="Europe/Berlin")
    for number, name in enumerate(STOPS):
        feed.stop(name, name.title(), 48.0 + number, 11.0)
    starts = at("10:00")
    times = [starts + 3600 * number for number in range(len(STOPS))]
    hour, quarter = 3600, 900
    feed.trip(
        "out",
        [
            ("ahorn", times[0], times[0]),
            ("bach", times[1], times[1] + quarter, "0", "1"),
            ("cella", times[2], times[2] + quarter),
            ("dorf", times[3], times[3] + quarter, "1", "0"),
            ("eich", times[4], times[4]),
        ],
        days_from(today, days),
    )
    feed.trip(
        "back",
        [(name, starts + (5 + i) * hour, starts + (5 + i) * hour) for i, name in enumerate(reversed(STOPS))],
        days_from(today, days),
    )
    path = feed.write(folder / "coach.zip")
    await import_feed(database, path, seat_plan=seat_plan, on_sale=OnSale(days, today=today), also=[import_fares])
