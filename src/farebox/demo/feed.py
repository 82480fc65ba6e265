"""Build the demo network as a GTFS feed: `python -m farebox.demo.feed OUT.zip [--start DATE] [--end DATE]`.

The feed is plain GTFS with Fares v2, and imports anywhere. Farebox reads a little more of any feed that has it:

- `vehicle_kinds.txt`: `vehicle_kind_id`, `agency_id`, `name`, `seat_plan` (`standard-45`, `limousine-9` or
  `sleeper-34`), `amenities` (codes separated by `;`);
- `routes.vehicle_kind_id`: the kind of vehicle that runs the route;
- `agency.brand_color`: the operator's colour, `#rrggbb`.

The same dates give the same bytes.
"""

import argparse
import csv
import io
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import TypeAlias

from farebox.demo.network import CITIES, LINES, OPERATORS, VEHICLES, VIETNAM, LineFacts
from farebox.demo.timetable import VEHICLE_OF, Trip, halts_of, list_fares, list_trips

FEED_CODE = "farebox-demo"
"""The code under which an import knows the feed: its publisher's name."""

LANGUAGE = "vi"
CURRENCY = "VND"

RIDERS = {"adult": ("Người lớn", 100), "child": ("Trẻ em", 75), "senior": ("Người cao tuổi", 90)}
"""Rider category -> its name, and the percentage of the fare that it pays."""

Table: TypeAlias = Iterable[Sequence[object]]


def build_feed(path: Path, *, start: date, end: date) -> None:
    """Write the feed to `path`, a zip, with service every day from `start` to `end`, both included.

    Raises:
        ValueError: `end` before `start`.
    """
    if end < start:
        raise ValueError("the last day of service is before the first")
    trips = list_trips()
    tables: dict[str, Table] = {
        "agency.txt": _agencies(),
        "feed_info.txt": _feed_info(start, end),
        "stops.txt": _stops(),
        "routes.txt": _routes(),
        "calendar.txt": _calendar(start, end),
        "trips.txt": _trips(trips),
        "stop_times.txt": _stop_times(trips),
        "networks.txt": _networks(),
        "route_networks.txt": _route_networks(),
        "areas.txt": _areas(),
        "stop_areas.txt": _stop_areas(),
        "rider_categories.txt": _rider_categories(),
        "fare_products.txt": _fare_products(),
        "fare_leg_rules.txt": _fare_leg_rules(),
        "translations.txt": _translations(),
        "vehicle_kinds.txt": _vehicle_kinds(),
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, table in tables.items():
            text = io.StringIO()
            csv.writer(text, lineterminator="\n").writerows(table)
            archive.writestr(zipfile.ZipInfo(name), text.getvalue(), zipfile.ZIP_DEFLATED)


def _agencies() -> Table:
    yield (
        "agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang", "agency_phone", "agency_email",
        "brand_color",
    )  # fmt: skip
    for operator in OPERATORS:
        url, email = f"https://{operator.domain}/", f"hello@{operator.domain}"
        yield operator.id, operator.name, url, VIETNAM, LANGUAGE, operator.phone, email, operator.color


def _feed_info(start: date, end: date) -> Table:
    yield (
        "feed_publisher_name", "feed_publisher_url", "feed_lang", "default_lang", "feed_start_date", "feed_end_date",
        "feed_version", "feed_contact_email",
    )  # fmt: skip
    yield (
        "Farebox demo", "https://farebox.example/", LANGUAGE, LANGUAGE, _day(start), _day(end),
        edition_name(start, end), "demo@farebox.example",
    )  # fmt: skip


def _stops() -> Table:
    """A station for each city (it is what people search for), and its bus stations as the stops that belong to it."""
    yield (
        "stop_id", "stop_name", "stop_lat", "stop_lon", "location_type", "parent_station", "stop_timezone",
        "wheelchair_boarding",
    )  # fmt: skip
    for city in CITIES:
        lat = sum(station.lat for station in city.stations) / len(city.stations)
        lon = sum(station.lon for station in city.stations) / len(city.stations)
        yield city.id, city.name, f"{lat:.5f}", f"{lon:.5f}", 1, "", city.timezone, 1
        for station in city.stations:
            yield station.id, station.name, f"{station.lat:.5f}", f"{station.lon:.5f}", 0, city.id, city.timezone, 1


def _routes() -> Table:
    yield (
        "route_id", "agency_id", "route_short_name", "route_long_name", "route_type", "route_color", "route_text_color",
        "vehicle_kind_id",
    )  # fmt: skip
    colors = {operator.id: operator.color.removeprefix("#").upper() for operator in OPERATORS}
    for line in LINES:
        operator = VEHICLE_OF[line.vehicle].operator
        yield line.id, operator, line.id, _line_name(line), 3, colors[operator], "FFFFFF", line.vehicle


def _calendar(start: date, end: date) -> Table:
    yield (
        "service_id", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday", "start_date",
        "end_date",
    )  # fmt: skip
    yield "daily", 1, 1, 1, 1, 1, 1, 1, _day(start), _day(end)
    yield "weekend", 0, 0, 0, 0, 1, 1, 1, _day(start), _day(end)


def _trips(trips: list[Trip]) -> Table:
    yield "route_id", "service_id", "trip_id", "trip_headsign", "direction_id", "wheelchair_accessible"
    for trip in trips:
        service = "weekend" if trip.is_weekend_only else "daily"
        yield trip.line.id, service, trip.id, trip.halts[-1].city.name, trip.direction, 1


def _stop_times(trips: list[Trip]) -> Table:
    yield (
        "trip_id", "arrival_time", "departure_time", "stop_id", "stop_sequence", "pickup_type", "drop_off_type",
        "timepoint",
    )  # fmt: skip
    for trip in trips:
        for sequence, halt in enumerate(trip.halts, start=1):
            arrival, departure = _time(trip.start + halt.arrival), _time(trip.start + halt.departure)
            yield (
                trip.id,
                arrival,
                departure,
                halt.station,
                sequence,
                int(not halt.picks_up),
                int(not halt.sets_down),
                1,
            )


def _networks() -> Table:
    yield "network_id", "network_name"
    yield from (
        ("standard", "Coaches with standard seats"),
        ("sleeper", "Coaches with berths"),
        ("limousine", "Limousines"),
    )


def _route_networks() -> Table:
    yield "network_id", "route_id"
    yield from ((VEHICLE_OF[line.vehicle].fare_class, line.id) for line in LINES)


def _areas() -> Table:
    yield "area_id", "area_name"
    yield from ((city.id, city.name) for city in CITIES)


def _stop_areas() -> Table:
    """A city's area is its station's; the stops of the station are in it too, as GTFS says."""
    yield "area_id", "stop_id"
    yield from ((city.id, city.id) for city in CITIES)


def _rider_categories() -> Table:
    yield "rider_category_id", "rider_category_name", "is_default_fare_category"
    yield from ((category, name, int(category == "adult")) for category, (name, _) in RIDERS.items())


def _fare_products() -> Table:
    """One product for each class and amount, not for each pair of cities; children and seniors pay to whole 1,000 đ."""
    yield "fare_product_id", "fare_product_name", "rider_category_id", "amount", "currency"
    for fare_class, amount in sorted({(fare.fare_class, fare.amount) for fare in list_fares()}):
        for category, (_, percent) in RIDERS.items():
            pays = round(amount * percent / 100_000) * 1_000
            yield _product(fare_class, amount), f"{fare_class.capitalize()} seat, single", category, pays, CURRENCY


def _fare_leg_rules() -> Table:
    yield "network_id", "from_area_id", "to_area_id", "fare_product_id"
    for fare in list_fares():
        yield fare.fare_class, fare.origin, fare.destination, _product(fare.fare_class, fare.amount)


def _translations() -> Table:
    yield "table_name", "field_name", "language", "translation", "record_id", "field_value"
    yield from _stop_translations()
    for line in LINES:
        yield "routes", "route_long_name", "en", _line_name(line, english=True), line.id, ""
    ends = {halts[end].city.id for halts in map(halts_of, LINES) for end in (0, -1)}
    for city in CITIES:
        if city.id in ends and city.english:
            yield "trips", "trip_headsign", "en", city.english, "", city.name


def _stop_translations() -> Iterator[Sequence[object]]:
    for city in CITIES:
        if city.english:
            yield "stops", "stop_name", "en", city.english, city.id, ""
        if city.chinese:
            yield "stops", "stop_name", "zh", city.chinese, city.id, ""
        for station in city.stations:
            yield "stops", "stop_name", "en", station.english, station.id, ""


def _vehicle_kinds() -> Table:
    yield "vehicle_kind_id", "agency_id", "name", "seat_plan", "amenities"
    for vehicle in VEHICLES:
        yield vehicle.id, vehicle.operator, vehicle.name, vehicle.seat_plan, vehicle.amenities


def _line_name(line: LineFacts, *, english: bool = False) -> str:
    halts = halts_of(line)
    cities = (halts[0].city, halts[-1].city)
    return " – ".join((english and city.english) or city.name for city in cities)


def _product(fare_class: str, amount: int) -> str:
    return f"{fare_class}-{amount}"


def _day(day: date) -> str:
    return day.strftime("%Y%m%d")


def _time(minutes: int) -> str:
    """GTFS time: hours go past 24 on a trip that passes midnight."""
    return f"{minutes // 60:02}:{minutes % 60:02}:00"


def edition(today: date) -> tuple[date, date]:
    """The days that a feed built on `today` covers: this year and the next, so that it changes once a year."""
    return date(today.year, 1, 1), date(today.year + 1, 12, 31)


def edition_name(start: date, end: date) -> str:
    """What the feed for these days calls itself (`feed_version`)."""
    return f"{start.isoformat()} to {end.isoformat()}"


def main() -> None:
    """The command line of the builder."""
    parser = argparse.ArgumentParser(prog="python -m farebox.demo.feed", description="Build the demo network as GTFS.")
    parser.add_argument("out", type=Path, metavar="OUT.zip")
    parser.add_argument("--start", type=date.fromisoformat, default=date(2026, 1, 1), help="first day of service")
    parser.add_argument("--end", type=date.fromisoformat, default=date(2027, 12, 31), help="last day of service")
    arguments = parser.parse_args()
    build_feed(arguments.out, start=arguments.start, end=arguments.end)
    print(f"wrote {arguments.out}")


if __name__ == "__main__":
    main()
