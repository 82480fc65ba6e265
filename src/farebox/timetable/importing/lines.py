"""Lines, and the kinds of vehicles that run on them."""

import hashlib
from collections import defaultdict
from dataclasses import dataclass
from uuid import UUID, uuid5

import msgspec
from psycopg.types.json import Jsonb

from farebox.core.i18n import N_
from farebox.timetable.gtfs import Row
from farebox.timetable.gtfs.values import parse_color
from farebox.timetable.importing.agencies import ImportedAgency
from farebox.timetable.importing.context import Import, choice_or, slug, value_or
from farebox.timetable.importing.store import upsert
from farebox.timetable.seat_plans import TEMPLATES, SeatPlan

_FILE = "routes.txt"
_KINDS_FILE = "vehicle_kinds.txt"

COACH = 3
HIGHEST_ROUTE_TYPE = 1799
"""Of the extended route types."""


_COLUMNS = (
    "id",
    "feed_id",
    "source_id",
    "operator_id",
    "vehicle_kind_id",
    "name",
    "names",
    "color",
    "text_color",
    "route_type",
    "network_ids",
)


@dataclass(frozen=True, slots=True)
class _Kind:
    operator_id: UUID
    code: str
    name: str
    seat_plan: str
    amenities: tuple[str, ...] = ()
    is_default: bool = False


@dataclass(frozen=True, slots=True)
class ImportedLine:
    """A line that trips may refer to."""

    id: UUID
    timezone: str


@dataclass(slots=True)
class _RawLine:
    row: Row
    source_id: str
    agency: ImportedAgency
    route_type: int
    kind: _Kind


async def import_lines(ctx: Import, agencies: dict[str, ImportedAgency], *, seat_plan: str) -> dict[str, ImportedLine]:
    """Bring lines and vehicle kinds up to date.

    Args:
        seat_plan: of operators' vehicles that the feed does not describe (a key of `TEMPLATES`).
    """
    lines = _read(ctx, agencies, _read_kinds(ctx, agencies), seat_plan)
    kind_ids = await _import_kinds(ctx, {line.kind for line in lines})
    networks = _networks(ctx)
    rows = []
    for line in lines:
        row = line.row
        short, long = row.get("route_short_name", ""), row.get("route_long_name", "")
        column = "route_short_name" if short else "route_long_name"
        name = short or long
        if not name:
            ctx.report.warn("missing-name", _FILE, row.line, subject="route_short_name", example=line.source_id)
            name = line.source_id
        own_networks = [*networks[line.source_id], *filter(None, [row.get("network_id")])]
        rows.append(
            (
                ctx.id_of("line", line.source_id),
                ctx.feed_id,
                line.source_id,
                line.agency.operator_id,
                kind_ids[line.kind.operator_id, line.kind.code],
                name,
                Jsonb(ctx.translations.of("routes", column, line.source_id, name)),
                value_or(ctx, row, _FILE, "route_color", parse_color),
                value_or(ctx, row, _FILE, "route_text_color", parse_color),
                line.route_type,
                list(dict.fromkeys(own_networks)),
            )
        )
    await upsert(
        ctx.work,
        "line",
        _COLUMNS,
        rows,
    )
    ctx.keys.lines = {line.source_id: ctx.id_of("line", line.source_id) for line in lines}
    ctx.keys.line_operators = {line.source_id: line.agency.operator_id for line in lines}
    ctx.report.counts["lines"] = len(lines)
    return {line.source_id: ImportedLine(ctx.keys.lines[line.source_id], line.agency.timezone) for line in lines}


async def store_seat_plan(ctx: Import, plan: SeatPlan) -> UUID:
    """The id under which a plan is kept: made of its content, since a plan that seats were sold on never changes."""
    document = plan.document()
    digest = hashlib.sha256(msgspec.json.encode(document, order="sorted")).hexdigest()
    plan_id = uuid5(plan.id, digest)
    await ctx.work.execute(
        "INSERT INTO seat_plan (id, name, document) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING",
        [plan_id, plan.name, Jsonb(document)],
    )
    return plan_id


def _read(ctx: Import, agencies: dict[str, ImportedAgency], kinds: dict[str, Row], seat_plan: str) -> list[_RawLine]:
    lines: dict[str, _RawLine] = {}
    for row in ctx.tables.rows(_FILE):
        source_id, agency_id = row.get("route_id", ""), row.get("agency_id", "")
        if not source_id:
            ctx.report.warn("missing-value", _FILE, row.line, subject="route_id")
            continue
        if source_id in lines:
            ctx.report.warn("duplicate-key", _FILE, row.line, subject="route_id", example=source_id)
            continue
        if agency_id not in agencies:
            ctx.report.warn("dangling-reference", _FILE, row.line, subject="agency_id", example=agency_id)
            if "" not in agencies:
                continue
            agency_id = ""
        agency = agencies[agency_id]
        route_type = choice_or(ctx, row, _FILE, "route_type", HIGHEST_ROUTE_TYPE, COACH)
        kind = _kind_of(ctx, row, agencies, agency, kinds) or _default_kind(agency, route_type, seat_plan)
        lines[source_id] = _RawLine(row, source_id, agency, route_type, kind)
    return list(lines.values())


def _read_kinds(ctx: Import, agencies: dict[str, ImportedAgency]) -> dict[str, Row]:
    kinds: dict[str, Row] = {}
    for row in ctx.tables.rows(_KINDS_FILE):
        code = row.get("vehicle_kind_id", "")
        if code in kinds:
            ctx.report.warn("duplicate-key", _KINDS_FILE, row.line, subject="vehicle_kind_id", example=code)
        elif row.get("agency_id", "") not in {*agencies, ""}:
            ctx.report.warn("dangling-reference", _KINDS_FILE, row.line, subject="agency_id", example=row["agency_id"])
        elif row.get("seat_plan", "") not in TEMPLATES:
            plan = row.get("seat_plan", "")
            ctx.report.warn("bad-value", _KINDS_FILE, row.line, subject="seat_plan", example=plan)
        else:
            kinds[code] = row
    return kinds


def _kind_of(
    ctx: Import, row: Row, agencies: dict[str, ImportedAgency], agency: ImportedAgency, kinds: dict[str, Row]
) -> _Kind | None:
    """The vehicle kind that a line names, if the feed has it."""
    code = row.get("vehicle_kind_id", "")
    if not code:
        return None
    if code not in kinds:
        ctx.report.warn("dangling-reference", _FILE, row.line, subject="vehicle_kind_id", example=code)
        return None
    kind = kinds[code]
    owner = agencies[kind["agency_id"]] if kind.get("agency_id") else agency
    amenities = kind.get("amenities", "").replace(",", " ").replace(";", " ").replace("|", " ").split()
    return _Kind(owner.operator_id, code, kind.get("name") or code, kind["seat_plan"], tuple(amenities))


def _default_kind(agency: ImportedAgency, route_type: int, seat_plan: str) -> _Kind:
    """What an operator runs on lines of a type when its feed does not say: the plan is the same, the name is not."""
    name = N_("Coach")
    if route_type in {1, 2, 5, 7, 12} or 100 <= route_type < 200 or 400 <= route_type < 500:  # noqa: PLR2004
        name = N_("Train")
    elif route_type == 0 or 900 <= route_type < 1000:  # noqa: PLR2004
        name = N_("Tram")
    elif route_type == 4 or 1000 <= route_type < 1100 or route_type == 1200:  # noqa: PLR2004
        name = N_("Ferry")
    return _Kind(agency.operator_id, slug(name), name, seat_plan, is_default=True)


async def _import_kinds(ctx: Import, kinds: set[_Kind]) -> dict[tuple[UUID, str], UUID]:
    """Store vehicle kinds, by operator and code. Default kinds that exist stay as the operator's office has them."""
    plans = {code: await store_seat_plan(ctx, TEMPLATES[code]) for code in sorted({kind.seat_plan for kind in kinds})}
    operators = list({kind.operator_id for kind in kinds})
    query = "SELECT operator_id, code, id FROM vehicle_kind WHERE operator_id = ANY(%s)"
    existing = {(row[0], row[1]): row[2] for row in await (await ctx.work.execute(query, [operators])).fetchall()}
    wanted = {(kind.operator_id, kind.code): kind for kind in kinds}
    ids = {key: existing.get(key, uuid5(key[0], f"vehicle:{key[1]}")) for key in wanted}
    await upsert(
        ctx.work,
        "vehicle_kind",
        ("id", "operator_id", "code", "name", "amenities", "seat_plan_id"),
        [
            (ids[key], *key, kind.name, list(kind.amenities), plans[kind.seat_plan])
            for key, kind in wanted.items()
            if not (kind.is_default and key in existing)
        ],
    )
    ctx.report.counts["vehicle kinds"] = len(wanted)
    return ids


def _networks(ctx: Import) -> dict[str, list[str]]:
    networks: dict[str, list[str]] = defaultdict(list)
    for row in ctx.tables.rows("route_networks.txt"):
        if row.get("route_id") and row.get("network_id"):
            networks[row["route_id"]].append(row["network_id"])
    return networks
