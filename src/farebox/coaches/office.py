"""Where seats are asked for: the kernel's desk, and what must be known before going there."""

import asyncio
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID
from weakref import WeakValueDictionary

from farebox.accounts import OPERATORS, OperatorView
from farebox.core.db import LOCK_TIMEOUT_MS, Database
from farebox.core.errors import Busy
from farebox.core.together import Reader, Together
from farebox.inventory import RUNNING_HOLDS, Desk
from farebox.pricing import FARE_VERSIONS
from farebox.timetable import STAMPS, DepartureStamp

Wish: TypeAlias = tuple[UUID, str]
"""A departure, and who wants seats on it."""

PATIENCE_SECONDS: Final = LOCK_TIMEOUT_MS / 1000
"""How long a request may wait for others of the same owner: as long as for any lock."""


@dataclass(frozen=True, slots=True)
class Offer:
    """What may have changed since somebody last asked: few facts, from which memory tells all others.

    Attributes:
        fare_version: `None` where the operator has set no terms.
        running_holds: how many holds the owner has, on this departure and on others.
    """

    stamp: DepartureStamp
    operator: OperatorView
    fare_version: UUID | None
    running_holds: int


class Turn:
    """What the requests of one owner go through one by one."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._present = 0

    async def __aenter__(self) -> None:
        self._present += 1
        try:
            if self._present == 1:
                await self._lock.acquire()  # nobody is there, so this does not wait
                return
            async with asyncio.timeout(PATIENCE_SECONDS):
                await self._lock.acquire()
        except BaseException as error:
            self._present -= 1
            if isinstance(error, TimeoutError):
                raise Busy from None
            raise

    async def __aexit__(self, *_: object) -> None:
        self._present -= 1
        self._lock.release()


class Office:
    """What a process needs for holding seats, made once at its start.

    Attributes:
        desk: where seats are taken.
    """

    def __init__(self, database: Database, desk: Desk) -> None:
        self.desk = desk
        statements = [question.statement for question in (STAMPS, RUNNING_HOLDS, OPERATORS, FARE_VERSIONS)]
        self._offers: Together[Wish, Offer] = Together(database, self._find_offers, statements)
        self._sellers: set[UUID] = set()
        self._turns: WeakValueDictionary[str, Turn] = WeakValueDictionary()

    async def find_offer(self, departure_id: UUID, owner: str) -> Offer | None:
        """What is committed now, asked together with others who ask; `None`: there is no such departure."""
        return await self._offers.find((departure_id, owner))

    def turn_of(self, owner: str) -> "Turn":
        """One request of an owner after the other, in this process: of those that come at once, each would be told of
        as few running holds as the first.

        Entering raises `Busy` when those before have taken too long.
        """
        turn = self._turns.get(owner)
        if turn is None:
            turn = self._turns[owner] = Turn()
        return turn

    async def dispose(self) -> None:
        await self._offers.dispose()

    async def _find_offers(self, reader: Reader, wishes: Collection[Wish]) -> dict[Wish, Offer]:
        """In one round trip, where these operators' departures were asked for before: their ids can only be guessed."""
        of_departures = STAMPS.about({departure_id for departure_id, _ in wishes})
        of_owners = RUNNING_HOLDS.about({owner for _, owner in wishes})
        of_sellers = [OPERATORS.about(self._sellers), FARE_VERSIONS.about(self._sellers)]
        found = await reader.send([of_departures, of_owners, *of_sellers])
        stamps, running = STAMPS.read(found[0]), RUNNING_HOLDS.read(found[1])
        sellers = {stamp.operator_id for stamp in stamps.values()}
        if not sellers <= self._sellers:
            self._sellers = sellers
            found[2:] = await reader.send([OPERATORS.about(sellers), FARE_VERSIONS.about(sellers)])
        operators, versions = OPERATORS.read(found[2]), FARE_VERSIONS.read(found[3])
        offers = {}
        for departure_id, owner in wishes:
            stamp = stamps.get(departure_id)
            if stamp is not None:
                seller = stamp.operator_id
                offers[departure_id, owner] = Offer(stamp, operators[seller], versions.get(seller), running[owner])
        return offers
