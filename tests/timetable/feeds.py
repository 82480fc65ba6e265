"""Small feeds for tests: a complete one as text, changed where a test wants it, written as a zip or a folder."""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

Feed = dict[str, str]

AGENCY = """agency_id,agency_name,agency_url,agency_timezone,agency_lang,agency_phone
HL,Hill Lines,https://hill.example,Europe/Berlin,de,+49 30 1
"""
STOPS = """stop_id,stop_name,stop_lat,stop_lon
A,Aberg ZOB,50.00,8.00
B,Bedorf,50.50,9.00
C,Cestadt,51.00,10.00
D,Dehausen,51.50,11.00
"""
ROUTES = "route_id,agency_id,route_short_name,route_long_name,route_type\nR,HL,H1,Aberg - Dehausen,3\n"
TRIPS = "route_id,service_id,trip_id,trip_headsign\nR,daily,T1,Dehausen\n"
STOP_TIMES = """trip_id,arrival_time,departure_time,stop_id,stop_sequence
T1,08:00:00,08:00:00,A,1
T1,09:00:00,09:05:00,B,2
T1,10:00:00,10:05:00,C,3
T1,11:00:00,11:00:00,D,4
"""
CALENDAR = """service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date
daily,1,1,1,1,1,1,1,20250101,20251231
"""


def small_feed(**files: str) -> Feed:
    """Four towns, a line, a trip a day in 2025. `files` replace or add: `stop_times="…"` is stop_times.txt; an empty
    text takes the file away."""
    feed = {
        "agency.txt": AGENCY,
        "stops.txt": STOPS,
        "routes.txt": ROUTES,
        "trips.txt": TRIPS,
        "stop_times.txt": STOP_TIMES,
        "calendar.txt": CALENDAR,
    }
    for name, text in files.items():
        feed[f"{name}.txt"] = text
    return {name: text for name, text in feed.items() if text}


def calls(trip: str, *rows: str) -> str:
    """Rows of stop_times.txt for one trip: "A 08:00 08:05" or "B 09:00"; sequence 1, 2, 3 …"""
    lines = []
    for number, row in enumerate(rows, start=1):
        stop, *times = row.split()
        arrival, departure = (times[0], times[-1]) if times else ("", "")
        lines.append(f"{trip},{_time(arrival)},{_time(departure)},{stop},{number}")
    return "\n".join(lines) + "\n"


def stop_times(**trips: list[str]) -> str:
    """A whole stop_times.txt of trips by their id."""
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence\n"
    return header + "".join(calls(trip, *rows) for trip, rows in trips.items())


def trips(*ids: str, service: str = "daily") -> str:
    return "route_id,service_id,trip_id,trip_headsign\n" + "".join(f"R,{service},{trip},\n" for trip in ids)


def write_zip(path: Path, feed: Mapping[str, str | bytes], *, folder: str = "") -> Path:
    """A zip of the feed at `path`, its files in `folder` inside where one is given."""
    path.write_bytes(zipped({folder + name: content for name, content in feed.items()}))
    return path


def write_folder(path: Path, feed: Mapping[str, str | bytes]) -> Path:
    path.mkdir(parents=True)
    for name, content in feed.items():
        (path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def zipped(files: Mapping[str, str | bytes]) -> bytes:
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return target.getvalue()


def _time(text: str) -> str:
    return f"{text}:00" if text else ""
