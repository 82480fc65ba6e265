"""The demo feed: valid GTFS, the same bytes every time, and a network that makes sense."""

import csv
import io
import zipfile
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from itertools import pairwise
from pathlib import Path

import gtfs_guru
import pytest

from farebox.demo.feed import build_feed, edition
from farebox.demo.network import CITIES, LINES, OPERATORS, VEHICLES
from farebox.demo.timetable import STATIONS, halts_of, list_fares, list_trips, mirrored, road_km
from farebox.timetable import TEMPLATES

START, END = edition(datetime.now(UTC).date())  # the validator knows what day it is


@pytest.fixture(scope="module")
def feed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo") / "demo.zip"
    build_feed(path, start=START, end=END)
    return path


@pytest.fixture(scope="module")
def table(feed: Path) -> Callable[[str], list[dict[str, str]]]:
    archive = zipfile.ZipFile(feed)
    return lambda name: list(csv.DictReader(io.StringIO(archive.read(name).decode())))


def test_the_feed_is_valid_gtfs(feed: Path) -> None:
    result = gtfs_guru.validate(str(feed))
    assert [(notice.code, notice.message) for notice in (*result.errors(), *result.warnings())] == []
    assert result.is_valid


def test_the_validator_would_find_a_mistake(feed: Path, tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    with zipfile.ZipFile(feed) as good, zipfile.ZipFile(broken, "w") as bad:
        for name in good.namelist():
            text = good.read(name)
            bad.writestr(name, text.replace(b"bac-vinh,5", b"nowhere,5") if name == "stop_times.txt" else text)
    assert "foreign_key_violation" in {notice.code for notice in gtfs_guru.validate(str(broken)).errors()}


def test_the_same_dates_give_the_same_bytes(feed: Path, tmp_path: Path) -> None:
    again = tmp_path / "again.zip"
    build_feed(again, start=START, end=END)
    assert again.read_bytes() == feed.read_bytes()


def test_an_end_before_the_start_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="last day"):
        build_feed(tmp_path / "never.zip", start=END, end=START)


def test_an_edition_lasts_a_year_and_covers_the_horizon_of_its_last_day() -> None:
    assert edition(date(2026, 1, 1)) == edition(date(2026, 12, 31)) == (date(2026, 1, 1), date(2027, 12, 31))


def test_it_is_a_network_of_the_promised_size() -> None:
    trips = list_trips()
    daily = [trip for trip in trips if not trip.is_weekend_only]
    assert (len(CITIES), len(STATIONS), len(OPERATORS), len(LINES)) == (38, 42, 3, 18)
    assert (len(daily), len(trips)) == (162, 180)
    assert len({trip.id for trip in trips}) == len(trips)
    assert {vehicle.seat_plan for vehicle in VEHICLES} == set(TEMPLATES)


def test_ids_are_used_once() -> None:
    ids = [city.id for city in CITIES] + list(STATIONS)
    assert len(ids) == len(set(ids))


def test_every_line_runs_both_ways_past_every_stop_forwards_in_time() -> None:
    for trip in list_trips():
        assert trip.halts[0].arrival == 0
        for halt, following in pairwise(trip.halts):
            assert halt.arrival <= halt.departure < following.arrival
    for line in LINES:
        assert mirrored(mirrored(halts_of(line))) == halts_of(line)
        assert len(line.out.split()) == len(line.back.split())


def test_coaches_drive_at_the_speed_of_coaches() -> None:
    for line in LINES:
        for halt, following in pairwise(halts_of(line)):
            hours = (following.arrival - halt.departure) / 60
            kilometres = road_km(STATIONS[halt.station][1], STATIONS[following.station][1])
            waits_at_the_border = halt.city.timezone != following.city.timezone
            if kilometres > 25 and not waits_at_the_border:  # and not through a city
                assert 24 <= kilometres / hours <= 80, (line.id, halt.station, following.station)


def test_every_city_is_served_both_ways() -> None:
    arrivals, departures = set(), set()
    for trip in list_trips():
        departures |= {halt.city.id for halt in trip.halts if halt.picks_up}
        arrivals |= {halt.city.id for halt in trip.halts if halt.sets_down}
    assert arrivals == departures == {city.id for city in CITIES}


def test_nobody_is_carried_inside_a_city_or_inside_china() -> None:
    for trip in list_trips():
        for index, board in enumerate(trip.halts):
            for alight in trip.halts[index + 1 :]:
                if board.picks_up and alight.sets_down:
                    assert board.city != alight.city
                    assert {board.city.timezone, alight.city.timezone} != {"Asia/Shanghai"}


def test_some_lines_cross_midnight_and_one_a_border() -> None:
    trips = list_trips()
    assert any(trip.start + trip.halts[-1].arrival > 48 * 60 for trip in trips), "the trunk takes over a day"
    overnight = [trip for trip in trips if 24 * 60 < trip.start + trip.halts[-1].arrival < 34 * 60]
    assert len({trip.line.id for trip in overnight}) >= 5
    assert {line.id for line in LINES if len({halt.city.timezone for halt in halts_of(line)}) > 1} == {"TS5"}


def test_every_ride_that_can_be_bought_has_a_fare_for_its_class(table: Callable[[str], list[dict[str, str]]]) -> None:
    classes = {vehicle.id: vehicle.fare_class for vehicle in VEHICLES}
    rules = {(row["network_id"], row["from_area_id"], row["to_area_id"]): row for row in table("fare_leg_rules.txt")}
    assert len(rules) == len(table("fare_leg_rules.txt")) == len(list_fares())
    products = Counter(row["fare_product_id"] for row in table("fare_products.txt"))
    assert set(products.values()) == {3}, "adults, children, seniors"
    for trip in list_trips():
        for index, board in enumerate(trip.halts):
            for alight in trip.halts[index + 1 :]:
                if board.picks_up and alight.sets_down:
                    rule = rules[classes[trip.line.vehicle], board.city.id, alight.city.id]
                    assert rule["fare_product_id"] in products


def test_fares_are_round_and_grow_with_the_way_and_the_comfort() -> None:
    fares = {(fare.fare_class, fare.origin, fare.destination): fare.amount for fare in list_fares()}
    assert all(amount % 5000 == 0 for amount in fares.values())
    assert fares["standard", "hanoi", "vinh"] == 255_000
    assert fares["sleeper", "hanoi", "vinh"] == 290_000
    assert fares["sleeper", "hanoi", "ho-chi-minh-city"] == 1_120_000
    assert fares["limousine", "ho-chi-minh-city", "vung-tau"] == 140_000
    for (fare_class, origin, destination), amount in fares.items():
        assert amount == fares[fare_class, destination, origin], "the same both ways"


def test_times_are_in_the_agencys_zone_and_stops_know_their_own(table: Callable[[str], list[dict[str, str]]]) -> None:
    assert {row["agency_timezone"] for row in table("agency.txt")} == {"Asia/Ho_Chi_Minh"}
    abroad = {row["stop_id"] for row in table("stops.txt") if row["stop_timezone"] == "Asia/Shanghai"}
    assert abroad == {"pingxiang", "pingxiang-bus", "nanning", "langdong"}
    by_trip: dict[str, list[str]] = defaultdict(list)
    for row in table("stop_times.txt"):
        by_trip[row["trip_id"]].append(row["arrival_time"])
    assert by_trip["TS5-out-2030"] == ["20:30:00", "21:00:00", "23:55:00", "26:00:00", "29:15:00"]


def test_stops_belong_to_the_station_of_their_city(table: Callable[[str], list[dict[str, str]]]) -> None:
    stops = {row["stop_id"]: row for row in table("stops.txt")}
    assert [row for row in stops.values() if row["location_type"] == "0" and row["parent_station"] not in stops] == []
    children = Counter(row["parent_station"] for row in stops.values())
    assert children["hanoi"] == 4
    assert children["ho-chi-minh-city"] == 2


def test_translations_name_what_is_there(table: Callable[[str], list[dict[str, str]]]) -> None:
    rows = table("translations.txt")
    names = {(row["language"], row["record_id"]): row["translation"] for row in rows if row["table_name"] == "stops"}
    assert names["en", "hanoi"] == "Hanoi"
    assert names["en", "ho-chi-minh-city"] == "Ho Chi Minh City (Saigon)"
    assert names["zh", "nanning"] == "南宁"
    headsigns = {row["trip_headsign"] for row in table("trips.txt")}
    assert {row["field_value"] for row in rows if row["table_name"] == "trips"} <= headsigns


def _luminance(color: str) -> float:
    """Relative luminance of `#rrggbb` (WCAG 2.2)."""

    def parts() -> Iterator[float]:
        for place in (1, 3, 5):
            part = int(color[place : place + 2], 16) / 255
            yield part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4

    red, green, blue = parts()
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(a: str, b: str) -> float:
    darker, lighter = sorted((_luminance(a), _luminance(b)))
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("color", [operator.color for operator in OPERATORS])
def test_brand_colours_can_be_read_on_white_and_seen_on_ink(color: str) -> None:
    assert _contrast(color, "#ffffff") >= 4.5, "text, and white text on it"
    assert _contrast(color, "#1b1d21") >= 3, "a mark or a border"
