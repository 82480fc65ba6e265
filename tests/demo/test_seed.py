"""The demo's database: on sale from today, seats sold through the kernel, and the same again at the next start."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from farebox.accounts import OperatorView, find_operator_by_code
from farebox.core.db import Database, UnitOfWork
from farebox.core.settings import Settings, load_settings
from farebox.demo.feed import build_feed, edition
from farebox.demo.network import OPERATORS
from farebox.demo.seed import LOAD_BY_DAY, OWNER, Seeded, seed_demo
from farebox.inventory import availability, claims_on
from farebox.pricing import describe_line, load_fares, quote_seats, set_fare_terms
from farebox.timetable import Call, Departure, DepartureSummary, find_feed, get_departure, list_departures, segment


@pytest.fixture(scope="module")
def today() -> date:
    """The day on which this file began, even if midnight comes meanwhile."""
    return datetime.now(ZoneInfo("Asia/Ho_Chi_Minh")).date()


@pytest.fixture
def within_an_edition(today: date) -> date:
    """A day to come that has neighbours of the same year."""
    return date(today.year + 1, 6, 1)


@pytest.fixture(scope="module")
def shared(database_url_module: str, tmp_path_factory: pytest.TempPathFactory, today: date) -> tuple[str, Seeded]:
    """A seeded database for the tests that only read it (or seed it again)."""
    settings = load_settings({}, home=tmp_path_factory.mktemp("home"), database_url=database_url_module)

    async def seed() -> Seeded:
        database = Database(database_url_module)
        try:
            return await seed_demo(database, today=today, settings=settings)
        finally:
            await database.dispose()

    return database_url_module, asyncio.run(seed())


@pytest.fixture
def seeded(shared: tuple[str, Seeded]) -> Seeded:
    return shared[1]


@pytest.fixture
async def shop(shared: tuple[str, Seeded]) -> AsyncIterator[Database]:
    database = Database(shared[0])
    yield database
    await database.dispose()


@pytest.fixture
async def work(shop: Database) -> AsyncIterator[UnitOfWork]:
    work = shop.open()
    yield work
    await work.abandon()


async def operator(work: UnitOfWork, code: str) -> OperatorView:
    found = await find_operator_by_code(work, code)
    assert found
    return found


async def departure_of(work: UnitOfWork, day: date, line: str, first_stop: str, last_stop: str) -> Departure:
    """The first departure of a line on a day between its two ends."""
    found = [
        departure
        for departure in await list_departures(work, day)
        if (departure.line_name, departure.first_stop, departure.last_stop) == (line, first_stop, last_stop)
    ]
    return await get_departure(work, found[0].id)


def call_at(departure: Departure, place: str) -> Call:
    return next(call for call in departure.calls if call.place_name == place)


async def free_seats(work: UnitOfWork, departures: list[DepartureSummary]) -> list[int]:
    return await availability(work, [(departure.inventory_id, 0, departure.slots) for departure in departures])


async def test_the_whole_network_imports_without_a_single_warning(seeded: Seeded) -> None:
    assert seeded.report
    assert [finding.text() for finding in seeded.report.findings] == []
    assert seeded.report.feed_code == "farebox-demo"
    assert seeded.report.counts == {
        "agencies": 3,
        "stops": 42,
        "stations": 38,
        "places": 38,
        "vehicle kinds": 3,
        "lines": 18,
        "services": 2,
        "journeys": 180,
        "calls": 834,
        "fare products": 160,
        "fare rules": 454,
    }


async def test_it_is_on_sale_for_the_whole_horizon(
    work: UnitOfWork, seeded: Seeded, settings: Settings, today: date
) -> None:
    assert 29 * 162 < seeded.departures < 32 * 180
    for ahead in (1, settings.sales_horizon_days - 1):
        day = today + timedelta(days=ahead)
        assert len(await list_departures(work, day)) == (180 if day.weekday() >= 4 else 162)
    assert await list_departures(work, today + timedelta(days=settings.sales_horizon_days)) == []


async def test_about_a_quarter_of_the_seats_of_the_next_days_is_sold(
    work: UnitOfWork, seeded: Seeded, today: date
) -> None:
    assert 8_000 < seeded.seats_sold < 20_000
    shares = []
    for ahead in range(1, len(LOAD_BY_DAY)):
        departures = await list_departures(work, today + timedelta(days=ahead))
        sold = claims = 0
        for departure in departures[::10]:
            taken = await claims_on(work, departure.inventory_id, 0, departure.slots)
            assert {(claim.owner, claim.state, claim.expires_at) for claim in taken} <= {(OWNER, "confirmed", None)}
            sold += len(taken)
            claims += departure.units * departure.slots
        shares.append(sold / claims)
    assert shares[0] == pytest.approx(LOAD_BY_DAY[1], abs=0.1)
    assert shares[-1] == pytest.approx(LOAD_BY_DAY[-1], abs=0.06)
    later = await list_departures(work, today + timedelta(days=len(LOAD_BY_DAY)))
    assert await free_seats(work, later) == [departure.units for departure in later]


async def test_a_second_start_changes_nothing(shop: Database, settings: Settings, today: date) -> None:
    again = await seed_demo(shop, today=today, settings=settings)
    assert again == Seeded(report=None, departures=0, seats_sold=0)


async def test_a_start_on_a_later_day_adds_days_and_sells_what_has_come_near(
    database: Database, settings: Settings, within_an_edition: date
) -> None:
    today = within_an_edition
    await seed_demo(database, today=today, settings=settings)
    later = today + timedelta(days=2)

    async def sold_in_four_days() -> dict[UUID, int]:
        async with database.begin() as work:
            departures = await list_departures(work, today + timedelta(days=4))
            free = await free_seats(work, departures)
        sold = {each.id: each.units - left for each, left in zip(departures, free, strict=True)}
        return {departure_id: seats for departure_id, seats in sold.items() if seats}

    before = await sold_in_four_days()
    again = await seed_demo(database, today=later, settings=settings)
    assert again.report is None
    assert 300 < again.departures < 400
    assert again.seats_sold > 0
    assert before.items() <= (await sold_in_four_days()).items(), "what had seats sold is not sold from again"
    async with database.begin() as work:
        newly = await list_departures(work, later + timedelta(days=len(LOAD_BY_DAY) - 1))
        assert sum(await free_seats(work, newly)) < sum(departure.units for departure in newly)


async def test_next_years_edition_keeps_trips_and_terms(
    database: Database, settings: Settings, today: date, tmp_path: Path
) -> None:
    await seed_demo(database, today=today, settings=settings)
    next_year = tmp_path / "next.zip"
    _, end = edition(date(today.year + 1, 1, 1))
    build_feed(next_year, start=today, end=end)
    async with database.begin() as work:
        before = {departure.id for departure in await list_departures(work, today + timedelta(days=3))}
    again = await seed_demo(database, today=today, settings=settings, feed=next_year)
    assert again.report
    assert again.seats_sold == 0
    async with database.begin() as work:
        feed = await find_feed(work, "farebox-demo")
        assert feed
        assert feed.last_date == end
        assert {departure.id for departure in await list_departures(work, today + timedelta(days=3))} == before
        operator_id = (await operator(work, "truong-son-lines")).id
        assert (await load_fares(work, operator_id)).terms.tax_rate_bp == 800


async def test_operators_have_colours_addresses_and_fictional_contacts(work: UnitOfWork) -> None:
    shown = await operator(work, "sao-dem-sleeper")
    assert (shown.name, shown.currency, shown.timezone) == ("Sao Đêm Sleeper", "VND", "Asia/Ho_Chi_Minh")
    assert (shown.brand_color, shown.address) == ("#6a5acd", "22 Đường Mẫu, TP. Hồ Chí Minh")
    assert (shown.url, shown.email) == ("https://saodem.example/", "hello@saodem.example")


async def test_a_ride_costs_what_the_feed_says_and_seats_and_tax_are_told_apart(work: UnitOfWork, today: date) -> None:
    departure = await departure_of(
        work, today + timedelta(days=1), "TS1", "Bến xe Giáp Bát", "Bến xe Trung tâm Đà Nẵng"
    )
    hanoi, vinh = (call_at(departure, place) for place in ("Hanoi", "Vinh"))
    fares = await load_fares(work, departure.operator_id)
    seats = {seat.number: seat for seat in departure.seat_plan.seats}
    quote = quote_seats(
        fares,
        departure,
        segment(departure, hanoi.place_id, vinh.place_id),
        [(seats["2A"], "adult"), (seats["5B"], "child"), (seats["5C"], "senior")],
    )
    assert [(describe_line(line), str(line.amount), str(line.tax_included)) for line in quote.lines] == [
        ("Seat 2A", "255000 VND", "18889 VND"),
        ("Seat 2A, extra legroom", "60000 VND", "4444 VND"),
        ("Seat 5B, child", "191000 VND", "14148 VND"),
        ("Seat 5C, senior", "230000 VND", "17037 VND"),
        ("Service fee", "10000 VND", "741 VND"),
    ]
    assert str(quote.total) == "746000 VND"
    assert str(fares.lowest(departure, hanoi, vinh)) == "255000 VND"


async def test_the_coach_to_nanning_arrives_by_the_clock_there(work: UnitOfWork, today: date) -> None:
    departure = await departure_of(work, today + timedelta(days=1), "TS5", "Bến xe Mỹ Đình", "Bến xe Lãng Đông")
    last = departure.calls[-1]
    assert last.timezone == "Asia/Shanghai"
    assert (departure.calls[0].departure.strftime("%H:%M"), last.arrival.strftime("%H:%M")) == ("07:15", "17:00")
    assert (last.arrival - departure.calls[0].departure) == timedelta(minutes=525)
    fares = await load_fares(work, departure.operator_id)
    price = fares.price(departure, departure.calls[0], last, departure.seat_plan.seats[20])
    assert str(price) == "455000 VND"


async def test_every_ride_on_sale_has_its_fare_in_the_feed(work: UnitOfWork, today: date) -> None:
    """By distance would be a price too, but not the one that the feed means: it is switched off here."""
    for facts in OPERATORS:
        seller = await operator(work, facts.id)
        terms = (await load_fares(work, seller.id)).terms
        await set_fare_terms(work, seller.id, replace(terms, sells_by_distance=False))
    seen = set()
    for summary in await list_departures(work, today + timedelta(days=1)):
        if (summary.line_name, summary.first_stop) in seen:
            continue
        seen.add((summary.line_name, summary.first_stop))
        departure = await get_departure(work, summary.id)
        fares = await load_fares(work, departure.operator_id)
        for index, board in enumerate(departure.calls):
            for alight in departure.calls[index + 1 :]:
                if board.boarding and alight.alighting:
                    assert fares.lowest(departure, board, alight), (summary.line_name, board, alight)
    assert len(seen) == 36
