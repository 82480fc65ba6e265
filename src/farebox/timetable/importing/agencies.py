"""Agencies become operators."""

import hashlib
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from babel.core import get_global
from babel.numbers import get_territory_currencies, is_currency

from farebox.accounts import OperatorView, find_operator_by_code, list_operators, upsert_operator
from farebox.timetable.errors import GtfsError
from farebox.timetable.gtfs import FeedTables, Row
from farebox.timetable.gtfs.values import parse_color, parse_language, parse_zone
from farebox.timetable.importing.context import Import, slug, value_or
from farebox.timetable.importing.store import upsert

FALLBACK_CURRENCY = "EUR"

_FILE = "agency.txt"


@dataclass(frozen=True, slots=True)
class ImportedAgency:
    """An agency and the operator that it is. `timezone` is the one that the times of its trips are written in."""

    source_id: str
    name: str
    timezone: str
    operator_id: UUID


def country_of(zone: str) -> str:
    """The ISO 3166 code of the country of a time zone (CLDR), by an old name too ("US/Central"), or empty."""
    current = get_global("zone_aliases").get(zone, zone)
    country: str = get_global("zone_territories").get(current, "")
    return "" if country == "001" else country


async def import_agencies(ctx: Import, *, currency: str | None) -> dict[str, ImportedAgency]:
    """Bring the operators of a feed up to date. By agency_id, and by "" too where there is only one.

    Raises:
        GtfsError: no agency, or one without a time zone.
    """
    rows = list(_read(ctx))
    known = await _known_operators(ctx)
    told = currency or _currency_of_fares(ctx.tables)
    agencies: dict[str, ImportedAgency] = {}
    for row in rows:
        source_id = row.get("agency_id", "")
        zone = row["agency_timezone"]
        name = row.get("agency_name", "")
        if not name:
            ctx.report.warn("missing-name", _FILE, row.line)
            name = source_id or ctx.keys.feed_code
        before = known.get(source_id) or await find_operator_by_code(ctx.work, operator_code(name))
        facts = _facts(ctx, row, name, before)
        pays_in = told or (before.currency if before else _currency_of_zone(zone))
        operator = await upsert_operator(ctx.work, name=name, timezone=zone, currency=pays_in, **facts)
        agencies[source_id] = ImportedAgency(source_id, name, zone, operator.id)
    if len({agency.timezone for agency in agencies.values()}) > 1:
        ctx.report.warn("mixed-zones", _FILE)
    await upsert(
        ctx.work,
        "agency",
        ("feed_id", "source_id", "operator_id"),
        [(ctx.feed_id, agency.source_id, agency.operator_id) for agency in agencies.values()],
        key=("feed_id", "source_id"),
    )
    if len(agencies) == 1:
        agencies[""] = next(iter(agencies.values()))
    ctx.keys.agencies = {source_id: agency.operator_id for source_id, agency in agencies.items()}
    ctx.report.counts["agencies"] = len(rows)
    return agencies


def operator_code(name: str) -> str:
    """The code of an operator that is new: its name, or what can be said of one written in another script."""
    return slug(name) or f"operator-{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _read(ctx: Import) -> list[Row]:
    rows: dict[str, Row] = {}
    for row in ctx.tables.rows(_FILE):
        source_id = row.get("agency_id", "")
        if source_id in rows:
            ctx.report.warn("duplicate-key", _FILE, row.line, subject="agency_id", example=source_id)
            continue
        zone = row.get("agency_timezone", "")
        try:
            parse_zone(zone)
        except ValueError:
            what = f"{zone!r} is not the name of a time zone" if zone else "The time zone is missing"
            reason = f"{what}; write it as in the IANA database, for instance Europe/Berlin or Asia/Ho_Chi_Minh."
            raise GtfsError(reason, file=_FILE, line=row.line, column="agency_timezone") from None
        rows[source_id] = row
    if not rows:
        raise GtfsError("There is no agency in it, so nobody runs these trips.", file=_FILE)
    return list(rows.values())


async def _known_operators(ctx: Import) -> dict[str, OperatorView]:
    """The operators that this feed's agencies were when it was imported before."""
    cursor = await ctx.work.execute("SELECT source_id, operator_id FROM agency WHERE feed_id = %s", [ctx.feed_id])
    ids: dict[str, UUID] = dict(await cursor.fetchall())
    operators = await list_operators(ctx.work, list(ids.values()))
    return {source_id: operators[operator_id] for source_id, operator_id in ids.items()}


def _facts(ctx: Import, row: Row, name: str, known: OperatorView | None) -> dict[str, Any]:
    """What the feed says of an operator; what it does not say stays as it is."""
    facts: dict[str, Any] = {
        "code": known.code if known else operator_code(name),
        "url": row.get("agency_url", ""),
        "phone": row.get("agency_phone", ""),
        "email": row.get("agency_email", ""),
        "language": value_or(ctx, row, _FILE, "agency_lang", parse_language) or ctx.language,
        "brand_color": value_or(ctx, row, _FILE, "brand_color", lambda text: f"#{parse_color(text)}"),
    }
    if known:
        facts = {"address": known.address} | {field: value or getattr(known, field) for field, value in facts.items()}
    return {field: value for field, value in facts.items() if value}


def _currency_of_fares(tables: FeedTables) -> str | None:
    for file, column in (("fare_products.txt", "currency"), ("fare_attributes.txt", "currency_type")):
        for row in tables.rows(file):
            currency = row.get(column, "").upper()
            if is_currency(currency):
                return currency
    return None


def _currency_of_zone(zone: str) -> str:
    """What is paid with in the country of a time zone today (CLDR)."""
    country = country_of(zone)
    currencies = get_territory_currencies(country) if country else []
    return str(currencies[0]) if currencies else FALLBACK_CURRENCY
