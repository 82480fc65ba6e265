"""Fares taken over from real feeds, exactly, and what operators sell after an import."""

import csv
import io
import os
import zipfile
from collections import Counter, defaultdict
from datetime import date
from pathlib import Path
from uuid import UUID

import pytest
from tests.counting import counted_statements

from farebox.accounts import list_operators, upsert_operator
from farebox.core.db import Database, UnitOfWork
from farebox.core.money import Money
from farebox.pricing import (
    BadFareTerms,
    DistanceFare,
    FareTerms,
    SeatSurcharge,
    import_fares,
    load_fares,
    load_fares_of,
    quote_seats,
    set_fare_terms,
)
from farebox.timetable import Departure, ImportReport, OnSale, get_departure, import_feed, list_departures, segment

FEEDS = Path(os.environ.get("FAREBOX_TEST_FEEDS") or Path(__file__).parents[3] / "shared" / "data" / "gtfs")
MONDAY = date(2016, 5, 2)
IN_2026 = date(2026, 1, 12)


def real_feed(name: str) -> Path:
    path = FEEDS / f"{name}.zip"
    if not path.is_file():
        pytest.skip(f"{path} IS MISSING: set FAREBOX_TEST_FEEDS to the folder of the real feeds")
    return path


def table(feed: Path, name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(zipfile.ZipFile(feed).read(name).decode("utf-8-sig"))))


async def put_on_sale(database: Database, feed: Path, day: date, *, shift_to: date | None = None) -> ImportReport:
    on_sale = OnSale(1, today=day)
    return await import_feed(database, feed, shift_to=shift_to, on_sale=on_sale, also=[import_fares])


async def departures_on(work: UnitOfWork, day: date) -> list[Departure]:
    return [await get_departure(work, each.id) for each in await list_departures(work, day)]


async def test_every_fare_of_the_high_speed_railway_is_the_feeds(database: Database) -> None:
    feed = real_feed("thsr-2016")
    report = await put_on_sale(database, feed, MONDAY)
    assert (report.counts["fare products"], report.counts["fare rules"]) == (165, 165)
    assert [f for f in report.findings if f.file.startswith("fare")] == []
    prices = {row["fare_id"]: row["price"] for row in table(feed, "fare_attributes.txt")}
    cheapest: dict[frozenset[str], Money] = {}
    for row in table(feed, "fare_rules.txt"):
        pair = frozenset((row["origin_id"], row["destination_id"]))
        price = Money.parse(prices[row["fare_id"]], "TWD")
        cheapest[pair] = min(cheapest.get(pair, price), price, key=lambda money: money.minor)
    assert len(cheapest) == 55
    assert cheapest[frozenset(("taipei", "zhuoying"))] == Money.parse("1445", "TWD")
    seen = Counter[tuple[str, str]]()
    async with database.begin() as work:
        departures = await departures_on(work, MONDAY)
        fares = await load_fares(work, departures[0].operator_id)
        for departure in departures:
            for board in departure.calls:
                for alight in departure.calls[board.index + 1 :]:
                    assert board.zone_id
                    assert alight.zone_id
                    seen[board.zone_id, alight.zone_id] += 1
                    asked = fares.price(departure, board, alight, departure.seat_plan.seats[20])
                    assert asked == cheapest[frozenset((board.zone_id, alight.zone_id))]
    assert len(seen) == 110, "every pair, both ways"


async def test_every_fare_of_a_commune_with_fares_v2_is_the_feeds(database: Database) -> None:
    feed = real_feed("zakroczym-2025-fares-v2")
    report = await put_on_sale(database, feed, IN_2026)
    assert (report.counts["fare products"], report.counts["fare rules"]) == (6, 9), "monthly tickets are for no ride"
    assert [f for f in report.findings if f.file.startswith("fare")] == []
    by_areas = {
        ("1", "1"): "0.00", ("2", "2"): "0.00", ("3", "3"): "0.00", ("1", "2"): "4.00", ("2", "1"): "4.00",
        ("1", "3"): "5.00", ("3", "1"): "5.00", ("2", "3"): "4.00", ("3", "2"): "4.00",
    }  # fmt: skip
    areas = defaultdict(set)
    for row in table(feed, "stop_areas.txt"):
        areas[row["stop_id"]].add(row["area_id"])
    assert set(map(len, areas.values())) == {1}
    seen = set()
    async with database.begin() as work:
        departures = await departures_on(work, IN_2026)
        fares = await load_fares(work, departures[0].operator_id)
        for departure in departures:
            for board in departure.calls:
                for alight in departure.calls[board.index + 1 :]:
                    pair = (board.area_ids[0], alight.area_ids[0])
                    seen.add(pair)
                    price = fares.price(departure, board, alight, departure.seat_plan.seats[20])
                    assert price == Money.parse(by_areas[pair], "PLN")
        assert seen == set(by_areas)
        free = next(
            segment(departure, departure.calls[0].stop_id, departure.calls[1].stop_id)
            for departure in departures
            if departure.calls[0].area_ids == departure.calls[1].area_ids
        )
        quote = quote_seats(fares, departures[0], free, [(departures[0].seat_plan.seats[0], "child")])
        assert quote.total == Money(0, "PLN"), "a free ride is sold for nothing"


@pytest.mark.parametrize(
    ("name", "currency", "lowest", "highest"),
    [("flixbus-de-2014", "EUR", "5.00", "80.00"), ("renfe-av-ld-md-2022-07", "EUR", "5.00", "100.00")],
)
async def test_a_feed_without_fares_is_sold_by_distance(
    database: Database, name: str, currency: str, lowest: str, highest: str
) -> None:
    report = await put_on_sale(database, real_feed(name), IN_2026, shift_to=IN_2026)
    assert (report.counts["fare products"], report.counts["fare rules"]) == (0, 0)
    async with database.begin() as work:
        departures = [await get_departure(work, each.id) for each in await list_departures(work, IN_2026, limit=60)]
        fares = await load_fares(work, departures[0].operator_id)
        for departure in departures:
            price = fares.lowest(departure, departure.calls[0], departure.calls[-1])
            assert price
            assert price.currency == currency
            assert Money.parse(lowest, currency) <= price <= Money.parse(highest, currency)


MINI = {
    "agency.txt": "agency_id,agency_name,agency_url,agency_timezone\nn,North,http://n.example,Europe/Berlin\n"
    "s,South,http://s.example,Europe/Berlin\n",
    "stops.txt": "stop_id,stop_name,stop_lat,stop_lon,zone_id\n"
    "a,Aal,52.0,10.0,1\nb,Bode,52.0,11.0,2\nc,Celle,52.0,12.0,3\n",
    "routes.txt": "route_id,agency_id,route_short_name,route_type\nnr,n,N,3\nsr,s,S,3\n",
    "calendar.txt": "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
    "d,1,1,1,1,1,1,1,20260101,20271231\n",
    "trips.txt": "route_id,service_id,trip_id\nnr,d,nt\nsr,d,st\n",
    "stop_times.txt": "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    + "".join(
        f"{trip},{hour}:00:00,{hour}:00:00,{stop},{hour}\n"
        for trip in ("nt", "st")
        for hour, stop in ((8, "a"), (9, "b"), (10, "c"))
    ),
    "fare_attributes.txt": "fare_id,price,currency_type,payment_method,transfers,agency_id\n"
    "north,9.00,EUR,0,0,n\nline,7.00,EUR,0,0,\nfar,12.00,EUR,0,0,\nkoruna,99,CZK,0,0,\n",
    "fare_rules.txt": "fare_id,route_id,origin_id,destination_id,contains_id\n"
    "line,sr,,,\nfar,sr,,,1\nfar,sr,,,2\nfar,sr,,,3\nline,nowhere,,,\nkoruna,,1,3,\n",
}


NO_FARES = {"fare_attributes": "fare_id,price,currency_type\n", "fare_rules": "fare_id\n"}


def mini_feed(folder: Path, **changes: str) -> Path:
    path = folder / "mini.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in {**MINI, **{f"{name}.txt": text for name, text in changes.items()}}.items():
            archive.writestr(name, text)
    return path


async def lowest_prices(work: UnitOfWork) -> dict[tuple[str, int, int], str]:
    """(line, first call, last call) -> the lowest price."""
    found = {}
    for departure in await departures_on(work, IN_2026):
        fares = await load_fares(work, departure.operator_id)
        for first, last in ((0, 1), (0, 2)):
            price = fares.lowest(departure, departure.calls[first], departure.calls[last])
            found[departure.line.name, first, last] = str(price)
    return found


async def test_fares_belong_to_agencies_lines_and_zones(database: Database, tmp_path: Path) -> None:
    report = await put_on_sale(database, mini_feed(tmp_path), IN_2026)
    async with database.begin() as work:
        assert await lowest_prices(work) == {
            ("N", 0, 1): "9.00 EUR",
            ("N", 0, 2): "9.00 EUR",
            ("S", 0, 1): "7.00 EUR",
            ("S", 0, 2): "12.00 EUR",
        }
    found = {(finding.file, finding.kind, finding.subject, finding.example) for finding in report.findings}
    assert ("fare_rules.txt", "dangling-reference", "route_id", "nowhere") in found
    assert ("fare_attributes.txt", "unpriced", "not the operator's currency", "koruna") in found


async def test_the_next_edition_replaces_fares_and_keeps_terms(database: Database, tmp_path: Path) -> None:
    await put_on_sale(database, mini_feed(tmp_path), IN_2026)
    surcharge = SeatSurcharge(Money(150, "EUR"), feature="window")
    async with database.begin() as work:
        operator_id = next(d.operator_id for d in await departures_on(work, IN_2026) if d.line.name == "S")
        terms = FareTerms(Money(100, "EUR"), tax_rate_bp=700)
        await set_fare_terms(work, operator_id, terms, surcharges=[surcharge])
        before = await load_fares(work, operator_id)
    changed = mini_feed(tmp_path, fare_attributes=MINI["fare_attributes.txt"].replace("7.00", "6.50"))
    await put_on_sale(database, changed, IN_2026)
    async with database.begin() as work:
        fares = await load_fares(work, operator_id)
        assert fares is not before
        assert fares.terms == terms
        departure = next(d for d in await departures_on(work, IN_2026) if d.line.name == "S")
        seats = {seat.number: seat for seat in departure.seat_plan.seats}
        board, alight = departure.calls[:2]
        assert str(fares.price(departure, board, alight, seats["5A"])) == "8.00 EUR"
        assert str(fares.price(departure, board, alight, seats["5B"])) == "6.50 EUR"
        assert await count(work, "fare_rule") == 4


async def count(work: UnitOfWork, name: str) -> int:
    row = await (await work.execute(f"SELECT count(*) FROM {name}")).fetchone()
    assert row
    return int(row[0])


async def test_fares_in_memory_are_read_again_only_when_they_changed(database: Database, tmp_path: Path) -> None:
    await put_on_sale(database, mini_feed(tmp_path), IN_2026)
    async with database.begin() as work:
        operators = list(await list_operators(work, await operator_ids(work)))
        first = await load_fares_of(work, operators)
        with counted_statements() as statements:
            assert await load_fares_of(work, operators) == first
        assert len(statements) == 1
        await set_fare_terms(work, operators[0], FareTerms(Money(0, "EUR"), tax_rate_bp=100))
        again = await load_fares_of(work, operators)
        assert again[operators[0]] is not first[operators[0]]
        assert again[operators[1]] is first[operators[1]]


async def operator_ids(work: UnitOfWork) -> list[UUID]:
    return [row[0] for row in await (await work.execute("SELECT id FROM operator ORDER BY code")).fetchall()]


async def test_terms_can_be_set_and_refused(database: Database, tmp_path: Path) -> None:
    await put_on_sale(database, mini_feed(tmp_path, **NO_FARES), IN_2026)
    async with database.begin() as work:
        operator_id = (await operator_ids(work))[0]
        free = FareTerms(Money(0, "EUR"))
        flat = DistanceFare(*(Money(amount, "EUR") for amount in (900, 0, 0, 50)))
        with pytest.raises(BadFareTerms, match="every amount must be in EUR"):
            await set_fare_terms(work, operator_id, free, surcharges=[SeatSurcharge(Money(1, "PLN"))])
        with pytest.raises(BadFareTerms, match="standard seats"):
            await set_fare_terms(work, operator_id, free, by_distance={"sleeper": flat})
        await set_fare_terms(work, operator_id, free, by_distance={"standard": flat})
        fares = await load_fares(work, operator_id)
        run = next(each for each in await departures_on(work, IN_2026) if each.operator_id == operator_id)
        assert str(fares.lowest(run, run.calls[0], run.calls[1])) == "9.00 EUR"


async def test_in_a_new_currency_amounts_begin_afresh(database: Database, tmp_path: Path) -> None:
    await put_on_sale(database, mini_feed(tmp_path), IN_2026)
    async with database.begin() as work:
        operator_id = (await operator_ids(work))[0]
        surcharges = [SeatSurcharge(Money(150, "EUR"), feature="window")]
        await set_fare_terms(work, operator_id, FareTerms(Money(100, "EUR"), tax_rate_bp=700), surcharges=surcharges)
        await set_fare_terms(work, operator_id, FareTerms(Money(0, "PLN"), tax_rate_bp=700))
        fares = await load_fares(work, operator_id)
        run = (await departures_on(work, IN_2026))[0]
        # 68.5 km in a straight line: the feed's fares are in euros and are not sold any more
        prices = {str(fares.price(run, run.calls[0], run.calls[1], seat)) for seat in run.seat_plan.seats}
        assert prices == {"26.40 PLN"}


async def test_an_operator_that_no_feed_priced_sells_by_distance(database: Database) -> None:
    async with database.begin() as work:
        operator = await upsert_operator(work, code="x", name="X", timezone="Europe/Berlin", currency="CHF")
        fares = await load_fares(work, operator.id)
        assert fares.currency == "CHF"
        assert await load_fares_of(work, [operator.id]) == {}
