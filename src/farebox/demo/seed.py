"""Fill a database for the demo: the network on sale from today, and some seats sold, so that the shop looks alive."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from farebox.accounts import OperatorView, find_operator_by_code, upsert_operator
from farebox.core.db import Database, UnitOfWork
from farebox.core.settings import Settings
from farebox.demo.feed import FEED_CODE, build_feed, edition, edition_name
from farebox.demo.network import OPERATORS, Operator
from farebox.demo.prices import set_prices
from farebox.inventory import HoldTerms, Want, availability, confirm, take
from farebox.pricing import import_fares
from farebox.timetable import (
    DepartureSummary,
    ImportReport,
    Progress,
    find_feed,
    import_feed,
    list_departures,
    materialise_departures,
)

OWNER = "demo"
"""Who has the seats that nobody bought."""

LOAD_BY_DAY = (0.42, 0.36, 0.3, 0.25, 0.2, 0.15, 0.1)
"""Share of the seats that is sold today, tomorrow, and on the days after."""

_EARLIEST_SALE = timedelta(minutes=30)
"""Before departure: what leaves sooner is left as it is, since its sales may end while we sell."""

_TERMS = HoldTerms(ttl_seconds=600, max_extensions=0, max_total_seconds=600)
_PARTY_SIZES = (1, 1, 1, 2, 2, 2, 3, 4)

_TO_THE_END = 0.6
"""Share of the travellers who board at the first call, and of those who stay to the last."""


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was done.

    Attributes:
        report: of the import; `None` where this edition of the timetable was there already.
        departures: put on sale now.
        seats_sold: seats sold now, each on some stretch of a departure.
    """

    report: ImportReport | None
    departures: int
    seats_sold: int


async def seed_demo(
    database: Database, *, today: date, settings: Settings, feed: Path | None = None, progress: Progress | None = None
) -> Seeded:
    """Put the demo network on sale from `today` for the horizon of the settings, with some seats sold.

    Safe at every start: what is there stays, further days are added, and no departure is sold twice.

    Args:
        feed: a demo feed that is built already; by default one is built for the year.
    """
    async with database.begin() as work:
        known = await find_feed(work, FEED_CODE)
    report = None
    if known is None or feed is not None or known.version != edition_name(*edition(today)):
        report = await _import_network(database, today, feed, progress)
    async with database.begin() as work:
        operators = [await _get_operator(work, facts) for facts in OPERATORS]
        if known is None:
            for facts, operator in zip(OPERATORS, operators, strict=True):
                await _introduce(work, facts, operator, today)
        departures = await materialise_departures(
            work,
            today=today,
            horizon_days=settings.sales_horizon_days,
            close_minutes=settings.sales_close_minutes,
        )
    sold = 0
    for day, load in enumerate(LOAD_BY_DAY[: settings.sales_horizon_days]):
        async with database.begin() as work:
            sold += await _sell_day(work, operators, today + timedelta(days=day), load)
    return Seeded(report, departures, sold)


async def _import_network(
    database: Database, today: date, feed: Path | None, progress: Progress | None
) -> ImportReport:
    with TemporaryDirectory(prefix="farebox-demo-") as folder:
        if feed is None:
            start, end = edition(today)
            feed = Path(folder) / "demo.zip"
            build_feed(feed, start=start, end=end)
        return await import_feed(database, feed, also=[import_fares], progress=progress)


async def _get_operator(work: UnitOfWork, facts: Operator) -> OperatorView:
    operator = await find_operator_by_code(work, facts.id)
    assert operator is not None, "the import makes an operator's code of its name"
    return operator


async def _introduce(work: UnitOfWork, facts: Operator, operator: OperatorView, today: date) -> None:
    """Say of an operator what a feed cannot: its address, and what it sells under."""
    known = asdict(operator)
    del known["id"]
    await upsert_operator(work, **known | {"address": facts.address})
    await set_prices(work, facts.id, operator, today=today)


async def _sell_day(work: UnitOfWork, operators: Sequence[OperatorView], day: date, load: float) -> int:
    """Sell seats on the day's departures on which nobody has one; how many were sold."""
    departures = [
        departure
        for operator in operators
        for departure in await list_departures(work, day, operator_id=operator.id)
        if departure.status == "scheduled" and departure.departs_at > work.now + _EARLIEST_SALE
    ]
    free = await availability(work, [(departure.inventory_id, 0, departure.slots) for departure in departures])
    wants = [
        want
        for departure, units in zip(departures, free, strict=True)
        if units == departure.units
        for want in _plausible_sales(departure, load)
    ]
    if not wants:
        return 0
    hold = await take(work, wants, owner=OWNER, terms=_TERMS)
    await confirm(work, hold.id)
    return sum(len(want.units) for want in wants)


def _plausible_sales(departure: DepartureSummary, load: float) -> list[Want]:
    """Parties on stretches of a departure, until about `load` of it is sold; always the same for a departure."""
    random = Random(departure.id.int)  # noqa: S311  (make-believe passengers)
    left = int(departure.units * departure.slots * load * random.uniform(0.5, 1.5))
    taken: list[set[int]] = [set() for _ in range(departure.units)]
    units: dict[tuple[int, int], list[int]] = defaultdict(list)
    for _ in range(departure.units * 4):
        if left <= 0:
            break
        first, end = _stretch(random, departure.slots)
        stretch = set(range(first, end))
        party = random.choice(_PARTY_SIZES)
        seat = random.randrange(departure.units)
        seats = [unit for unit in range(seat, min(seat + party, departure.units)) if not taken[unit] & stretch]
        for unit in seats:
            taken[unit] |= stretch
            left -= len(stretch)
        units[first, end] += seats
    return [
        Want(departure.inventory_id, tuple(sorted(seats)), first, end)
        for (first, end), seats in sorted(units.items())
        if seats
    ]


def _stretch(random: Random, slots: int) -> tuple[int, int]:
    """From one call to a later one: most travellers go from the first or to the last, many all the way."""
    first = 0 if random.random() < _TO_THE_END else random.randrange(slots)
    end = slots if random.random() < _TO_THE_END else random.randrange(first, slots) + 1
    return first, end
