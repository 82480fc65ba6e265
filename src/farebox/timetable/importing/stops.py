"""Stops, the stations they belong to, and the places they serve."""

from collections import Counter, defaultdict
from dataclasses import dataclass, field
from itertools import chain, count
from uuid import UUID, uuid5

from psycopg.types.json import Jsonb

from farebox.timetable.errors import GtfsError
from farebox.timetable.geography import distance_m
from farebox.timetable.grouping import CITY_RADIUS_M, Group, NamedPoint, city_name, group_points, is_same_city
from farebox.timetable.gtfs import Row
from farebox.timetable.gtfs.values import parse_position, parse_zone
from farebox.timetable.importing.agencies import country_of
from farebox.timetable.importing.context import Import, choice_or
from farebox.timetable.importing.store import upsert

_FILE = "stops.txt"
_STATION, _BOARDING_AREA = 1, 4


_COLUMNS = (
    "id",
    "feed_id",
    "source_id",
    "place_id",
    "station_id",
    "name",
    "names",
    "code",
    "platform",
    "lat",
    "lon",
    "timezone",
    "zone_id",
    "area_ids",
    "is_station",
    "wheelchair",
)


@dataclass(slots=True)
class _RawStop:
    source_id: str
    row: Row
    kind: int
    position: tuple[float, float] | None
    zone: str
    """As the feed says it, or empty."""
    root: "_RawStop" = field(init=False)

    def __post_init__(self) -> None:
        self.root = self


@dataclass(frozen=True, slots=True)
class ImportedStop:
    """A stop that calls may refer to."""

    id: UUID
    place_id: UUID
    lat: float
    lon: float


async def import_stops(ctx: Import, *, zone: str) -> dict[str, ImportedStop]:
    """Bring stops and places up to date. `zone` is the agency's, for stops that have none of their own.

    Raises:
        GtfsError: no usable stop in the feed.
    """
    raw = _read(ctx)
    _find_roots(ctx, raw)
    raw = _placed(ctx, raw)
    if not raw:
        why = "; ".join(finding.text() for finding in ctx.report.findings if finding.file == _FILE)
        raise GtfsError(f"There is no usable stop in it. {why or 'There are none.'}", file=_FILE)
    areas = _areas(ctx)
    places = await _import_places(ctx, raw, zone)
    stops: dict[str, ImportedStop] = {}
    rows = []
    for stop in raw.values():
        assert stop.position is not None, "stops without one were left out"
        stop_id, root = ctx.id_of("stop", stop.source_id), stop.root
        place_id = places[root.source_id]
        stops[stop.source_id] = ImportedStop(stop_id, place_id, *stop.position)
        station_id = ctx.id_of("stop", root.source_id) if root is not stop else None
        own_areas = [*areas[stop.source_id], *(areas[root.source_id] if root is not stop else ())]
        row = stop.row
        rows.append(
            (
                stop_id,
                ctx.feed_id,
                stop.source_id,
                place_id,
                station_id,
                row["stop_name"],
                Jsonb(ctx.translations.of("stops", "stop_name", stop.source_id, row["stop_name"])),
                row.get("stop_code", ""),
                row.get("platform_code", ""),
                *stop.position,
                root.zone or stop.zone or zone,
                row.get("zone_id") or None,
                list(dict.fromkeys(own_areas)),
                stop.kind == _STATION,
                choice_or(ctx, row, _FILE, "wheelchair_boarding", 2),
            )
        )
    await upsert(
        ctx.work,
        "stop",
        _COLUMNS,
        rows,
    )
    ctx.keys.stops = {source_id: stop.id for source_id, stop in stops.items()}
    ctx.report.counts["stops"] = sum(stop.kind != _STATION for stop in raw.values())
    ctx.report.counts["stations"] = sum(stop.kind == _STATION for stop in raw.values())
    ctx.report.counts["places"] = len(set(places.values()))
    return stops


def _read(ctx: Import) -> dict[str, _RawStop]:
    """Everything at which a vehicle may halt, or that groups such; entrances and paths are none of our business."""
    raw: dict[str, _RawStop] = {}
    seen: set[str] = set()
    for row in ctx.tables.rows(_FILE):
        source_id = row.get("stop_id", "")
        if not source_id:
            ctx.report.warn("missing-value", _FILE, row.line, subject="stop_id")
            continue
        if source_id in seen:
            ctx.report.warn("duplicate-key", _FILE, row.line, subject="stop_id", example=source_id)
            continue
        seen.add(source_id)
        kind = choice_or(ctx, row, _FILE, "location_type", _BOARDING_AREA)
        if kind not in {0, _STATION, _BOARDING_AREA}:
            continue
        zone = row.get("stop_timezone", "")
        try:
            zone = zone and parse_zone(zone)
        except ValueError:
            ctx.report.warn("bad-zone", _FILE, row.line, subject="stop_timezone", example=zone)
            zone = ""
        try:
            position = parse_position(row.get("stop_lat", ""), row.get("stop_lon", ""))
        except ValueError:
            position = None
        raw[source_id] = _RawStop(source_id, row, kind, position, zone)
    return raw


def _find_roots(ctx: Import, raw: dict[str, _RawStop]) -> None:
    """Set the top of each stop's hierarchy: boarding area -> platform -> station."""
    for stop in raw.values():
        above, seen = stop, {stop.source_id}
        while parent := above.row.get("parent_station", ""):
            if parent not in raw or parent in seen:
                if above is stop:
                    line = stop.row.line
                    ctx.report.warn("dangling-reference", _FILE, line, subject="parent_station", example=parent)
                break
            seen.add(parent)
            above = raw[parent]
        stop.root = above


def _placed(ctx: Import, raw: dict[str, _RawStop]) -> dict[str, _RawStop]:
    """The stops with a position and a name, their station's where they have none themselves."""
    for stop in raw.values():
        if stop.position is None:
            stop.position = stop.root.position
        if not stop.row.get("stop_name"):
            if stop.root is stop or not stop.root.row.get("stop_name"):
                ctx.report.warn("missing-name", _FILE, stop.row.line, subject="stop_name", example=stop.source_id)
            stop.row["stop_name"] = stop.root.row.get("stop_name") or stop.row.get("stop_code") or stop.source_id
    placed: dict[str, _RawStop] = {}
    for stop in raw.values():
        if stop.position is None:
            position = f"{stop.row.get('stop_lat', '')}, {stop.row.get('stop_lon', '')}"
            ctx.report.warn("bad-coordinate", _FILE, stop.row.line, subject="stop_lat, stop_lon", example=position)
            continue
        if stop.root.position is None:
            stop.root = stop
        placed[stop.source_id] = stop
    return placed


def _areas(ctx: Import) -> dict[str, list[str]]:
    areas: dict[str, list[str]] = defaultdict(list)
    for row in ctx.tables.rows("stop_areas.txt"):
        if row.get("stop_id") and row.get("area_id"):
            areas[row["stop_id"]].append(row["area_id"])
    return areas


async def _import_places(ctx: Import, raw: dict[str, _RawStop], zone: str) -> dict[str, UUID]:
    """Group what stands at the top of the hierarchy into places; the place of each."""
    roots = {stop.root.source_id: stop.root for stop in raw.values()}
    points = [
        NamedPoint(source_id, root.row["stop_name"], *root.position)
        for source_id, root in roots.items()
        if root.position is not None
    ]
    groups = group_points(points)
    ids, shared = await _place_ids(ctx, groups)
    rows = []
    for group, place_id in zip(groups, ids, strict=True):
        if place_id in shared:
            continue
        lead = roots[group.lead]
        own = next((roots[m.key] for m in group.members if m.name == group.name), None)
        names = ctx.translations.of("stops", "stop_name", own.source_id, group.name) if own else {}
        country = lead.row.get("place_country", "").upper() or country_of(lead.zone)
        region = lead.row.get("place_region", "")
        rows.append((place_id, group.name, Jsonb(names), region, country, lead.zone or zone, *group.position))
    await upsert(ctx.work, "place", ("id", "name", "names", "region", "country", "timezone", "lat", "lon"), rows)
    return {member.key: place_id for group, place_id in zip(groups, ids, strict=True) for member in group.members}


async def _place_ids(ctx: Import, groups: list[Group[str]]) -> tuple[list[UUID], set[UUID]]:
    """The place of each group, and the places that other feeds serve too, whose names are not ours to change.

    A group keeps the place that most of its stops had before; else it joins another feed's place of the same city;
    else its place is new.
    """
    cursor = await ctx.work.execute("SELECT s.source_id, s.place_id FROM stop s WHERE s.feed_id = %s", [ctx.feed_id])
    before: dict[str, UUID] = dict(await cursor.fetchall())
    cursor = await ctx.work.execute(
        "SELECT id, name, lat, lon FROM place p WHERE EXISTS"
        " (SELECT FROM stop s WHERE s.place_id = p.id AND s.feed_id <> %s) ORDER BY id",
        [ctx.feed_id],
    )
    shared: dict[UUID, tuple[str, float, float]] = {row[0]: row[1:] for row in await cursor.fetchall()}
    by_words: dict[tuple[str, ...], list[UUID]] = defaultdict(list)
    for place_id, (name, _, _) in shared.items():
        by_words[city_name(name).words].append(place_id)
    taken: set[UUID] = set()
    ids = []
    for group in groups:
        had = Counter(before[m.key] for m in group.members if m.key in before)
        candidates = [place_id for place_id, _ in had.most_common()]
        for place_id in by_words.get(city_name(group.name).words, ()):
            name, lat, lon = shared[place_id]
            if is_same_city(group.name, name) and distance_m(*group.position, lat, lon) <= CITY_RADIUS_M:
                candidates.append(place_id)
        fresh = (uuid5(ctx.feed_id, f"place:{group.lead}:{number}") for number in count())
        own_id = next(one for one in chain(candidates, fresh) if one not in taken)
        taken.add(own_id)
        ids.append(own_id)
    return ids, set(shared)
