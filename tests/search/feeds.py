"""Small GTFS feeds, written from a few lines of Python."""

import csv
import io
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

Halt = tuple[str, int, int] | tuple[str, int, int, str, str]
"""stop id, arrival and departure in seconds, and where they are not regular: pickup_type, drop_off_type."""


def clock(seconds: int) -> str:
    return f"{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"


def at(text: str) -> int:
    """Seconds of "25:10"."""
    hours, minutes = text.split(":")
    return int(hours) * 3600 + int(minutes) * 60


@dataclass
class SmallFeed:
    """One agency; services are lists of days."""

    timezone: str = "Europe/Berlin"
    stops: list[dict[str, str]] = field(default_factory=list)
    trips: list[tuple[str, str]] = field(default_factory=list)
    halts: list[tuple[str, int, Halt]] = field(default_factory=list)
    days: dict[str, Sequence[date]] = field(default_factory=dict)
    frequencies: list[tuple[str, int, int, int]] = field(default_factory=list)
    translations: list[tuple[str, str, str, str]] = field(default_factory=list)

    def stop(self, stop_id: str, name: str, lat: float, lon: float, *, zone: str = "", station: str = "") -> None:
        self.stops.append(
            {
                "stop_id": stop_id,
                "stop_name": name,
                "stop_lat": f"{lat:.5f}",
                "stop_lon": f"{lon:.5f}",
                "location_type": "0",
                "parent_station": station,
                "stop_timezone": zone,
            }
        )

    def station(self, stop_id: str, name: str, lat: float, lon: float, *, zone: str = "") -> None:
        self.stop(stop_id, name, lat, lon, zone=zone)
        self.stops[-1]["location_type"] = "1"

    def trip(self, trip_id: str, halts: Sequence[Halt], days: Sequence[date]) -> None:
        self.trips.append((trip_id, f"service-{trip_id}"))
        self.days[f"service-{trip_id}"] = days
        self.halts.extend((trip_id, position, halt) for position, halt in enumerate(halts))

    def write(self, path: Path) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, (header, rows) in self._tables().items():
                text = io.StringIO()
                writer = csv.writer(text)
                writer.writerow(header)
                writer.writerows(rows)
                archive.writestr(name, text.getvalue())
        return path

    def _tables(self) -> dict[str, tuple[list[str], list[list[str]]]]:
        stop_columns = list(self.stops[0])
        return {
            "agency.txt": (
                ["agency_id", "agency_name", "agency_url", "agency_timezone", "agency_lang"],
                [["a", "Small Coaches", "https://small.example", self.timezone, "en"]],
            ),
            "stops.txt": (stop_columns, [[stop[column] for column in stop_columns] for stop in self.stops]),
            "routes.txt": (
                ["route_id", "agency_id", "route_short_name", "route_long_name", "route_type"],
                [["r", "a", "1", "Line one", "3"]],
            ),
            "trips.txt": (
                ["route_id", "service_id", "trip_id"],
                [["r", service, trip] for trip, service in self.trips],
            ),
            "stop_times.txt": (
                [
                    "trip_id",
                    "arrival_time",
                    "departure_time",
                    "stop_id",
                    "stop_sequence",
                    "pickup_type",
                    "drop_off_type",
                ],
                [
                    [trip, clock(halt[1]), clock(halt[2]), halt[0], str(position * 10), *(halt[3:] or ("0", "0"))]
                    for trip, position, halt in self.halts
                ],
            ),
            "calendar_dates.txt": (
                ["service_id", "date", "exception_type"],
                [[service, f"{day:%Y%m%d}", "1"] for service, days in self.days.items() for day in days],
            ),
            "frequencies.txt": (
                ["trip_id", "start_time", "end_time", "headway_secs"],
                [[trip, clock(start), clock(end), str(headway)] for trip, start, end, headway in self.frequencies],
            ),
            "translations.txt": (
                ["table_name", "field_name", "language", "translation", "record_id"],
                [
                    [table, f"{table[:-1]}_name", language, text, record]
                    for table, record, language, text in self.translations
                ],
            ),
        }


def days_from(first: date, count: int) -> list[date]:
    return [first + timedelta(days=n) for n in range(count)]
