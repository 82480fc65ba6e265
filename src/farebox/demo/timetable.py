"""The demo network worked out: lines become trips with times, and pairs of cities get fares."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import asin, cos, radians, sin, sqrt

from farebox.demo.network import CITIES, LINES, VEHICLES, City, LineFacts, Station

STATIONS: dict[str, tuple[City, Station]] = {
    station.id: (city, station) for city in CITIES for station in city.stations
}
VEHICLE_OF = {vehicle.id: vehicle for vehicle in VEHICLES}

_EARTH_KM = 6371.0
_ROAD_FACTOR = 1.15


@dataclass(frozen=True, slots=True)
class Halt:
    """A trip's halt: minutes after the trip's first departure, and whether people may get on or off."""

    station: str
    arrival: int
    departure: int
    picks_up: bool
    sets_down: bool

    @property
    def city(self) -> City:
        return STATIONS[self.station][0]


@dataclass(frozen=True, slots=True)
class Trip:
    """A timetabled run. `start` is minutes after midnight."""

    id: str
    line: LineFacts
    direction: int
    is_weekend_only: bool
    start: int
    halts: tuple[Halt, ...]


@dataclass(frozen=True, slots=True)
class Fare:
    """What a class of seat costs an adult between two cities, in đồng."""

    fare_class: str
    origin: str
    destination: str
    amount: int


def list_trips() -> list[Trip]:
    """Every trip of the network, by line, direction and time."""
    return [
        Trip(
            id=f"{line.id}-{('out', 'back')[direction]}-{time.replace(':', '')}{'-weekend' if is_weekend else ''}",
            line=line,
            direction=direction,
            is_weekend_only=is_weekend,
            start=int(time[:2]) * 60 + int(time[3:]),
            halts=(halts_of(line), mirrored(halts_of(line)))[direction],
        )
        for line in LINES
        for direction, is_weekend, times in (
            (0, False, line.out),
            (0, True, line.weekend_out),
            (1, False, line.back),
            (1, True, line.weekend_back),
        )
        for time in times.split()
    ]


def halts_of(line: LineFacts) -> tuple[Halt, ...]:
    """The halts of a line on its way out; nobody gets off at the first, or on at the last."""
    halts = []
    stops = [stop.split() for stop in line.stops.split(";")]
    for position, (station, times) in enumerate(stops):
        arrival, _, dwell = times.rstrip("<>").partition("+")
        picks_up = position < len(stops) - 1 and not times.endswith(">")
        sets_down = position > 0 and not times.endswith("<")
        halts.append(Halt(station, int(arrival), int(arrival) + int(dwell or 0), picks_up, sets_down))
    return tuple(halts)


def mirrored(halts: tuple[Halt, ...]) -> tuple[Halt, ...]:
    """The way back: the same halts the other way round, getting on and getting off exchanged."""
    whole = halts[-1].arrival
    return tuple(
        Halt(halt.station, whole - halt.departure, whole - halt.arrival, halt.sets_down, halt.picks_up)
        for halt in reversed(halts)
    )


def list_fares() -> list[Fare]:
    """The fare of every pair of cities that some line of a class joins, the shortest way counting for all."""
    shortest: dict[tuple[str, str, str], int] = {}
    for line in LINES:
        fare_class = VEHICLE_OF[line.vehicle].fare_class
        for halts in (halts_of(line), mirrored(halts_of(line))):
            for board, alight, kilometres in _rides(halts):
                key = (fare_class, board.city.id, alight.city.id)
                amount = fare_for(kilometres, fare_class, board.city.timezone != alight.city.timezone)
                shortest[key] = min(amount, shortest.get(key, amount))
    return [Fare(*key, amount) for key, amount in sorted(shortest.items())]


def fare_for(kilometres: float, fare_class: str, crosses_border: bool) -> int:
    """30,000 đ, 760 đ a kilometre up to 300 and 520 đ after; dearer by class and over a border; to whole 5,000 đ."""
    amount = 30_000 + 760 * min(kilometres, 300) + 520 * max(kilometres - 300, 0)
    amount *= {"standard": 1.0, "sleeper": 1.15, "limousine": 1.6}[fare_class]
    return round((amount + 150_000 * crosses_border) / 5_000) * 5_000


def _rides(halts: tuple[Halt, ...]) -> Iterator[tuple[Halt, Halt, float]]:
    """Pairs of halts where people can get on and off, with the kilometres on the road between."""
    for first, board in enumerate(halts):
        kilometres = 0.0
        for before, alight in zip(halts[first:], halts[first + 1 :], strict=False):
            kilometres += road_km(STATIONS[before.station][1], STATIONS[alight.station][1])
            if board.picks_up and alight.sets_down and board.city != alight.city:
                yield board, alight, kilometres


def road_km(a: Station, b: Station) -> float:
    """Kilometres on the road between two stations, by the great circle (haversine) and how roads wind."""
    lat_a, lat_b = radians(a.lat), radians(b.lat)
    across = sin((lat_b - lat_a) / 2) ** 2 + cos(lat_a) * cos(lat_b) * sin(radians(b.lon - a.lon) / 2) ** 2
    return 2 * _EARTH_KM * asin(sqrt(across)) * _ROAD_FACTOR
