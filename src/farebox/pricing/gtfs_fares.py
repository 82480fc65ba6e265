"""Reading the fares of a GTFS feed, Fares v1 and Fares v2, into products and rules of one kind.

What each version means is told in `docs/decisions/0006-one-fare-model.md`.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from farebox.core.money import Money
from farebox.pricing.terms import PassengerType
from farebox.timetable import FeedTables, Row

# fare_media_type of media that a traveller must already have: a transit card, a contactless bank card at a gate.
_MEDIA_NOT_SOLD_HERE = {"2", "3"}

_DEAREST = 10**12
"""Minor units of a fare: more is a slip of the pen, and sums of such would not fit into a column."""

# Parts of the words by which feeds name children and seniors, in the languages that we have met.
_CHILD = (
    "child", "kid", "infant", "enfant", "kind", "niñ", "bambin", "criança", "dziec", "dítě", "dět", "gyer", "barn",
    "børn", "lapsi", "laps", "çocuk", "trẻ em", "儿童", "兒童", "小孩", "子供", "こども", "小児", "어린이", "ребен",
    "ребён", "детск",
)  # fmt: skip
_SENIOR = (
    "senior", "elder", "pension", "retire", "65", "aîné", "rentner", "mayores", "jubilad", "anzian", "idos", "důchod",
    "nyugd", "eläke", "yaşlı", "cao tuổi", "敬老", "长者", "長者", "老人", "シニア", "高齢", "경로", "пенсион",
)  # fmt: skip


@dataclass(slots=True)
class Product:
    """Something sold: its name, what it costs each type of passenger, and the file that says so."""

    code: str
    name: str
    currency: str
    file: str
    prices: dict[PassengerType, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rule:
    """A rule as in `FareRuleRow`, still with the feed's own ids."""

    product: str
    agency_id: str | None = None
    route_id: str | None = None
    network_id: str | None = None
    origin: str | None = None
    destination: str | None = None
    contains: frozenset[str] | None = None
    priority: int = 0
    is_zonal: bool = False
    is_exclusive: bool = False


@dataclass(slots=True)
class FeedFares:
    """All fares of a feed."""

    products: dict[str, Product] = field(default_factory=dict)
    rules: list[Rule] = field(default_factory=list)


def read_fares(tables: FeedTables) -> FeedFares:
    """The fares of a feed: those of Fares v2 if it has any rule, else those of Fares v1. A feed may have none.

    What cannot be used is counted in the report of the import.
    """
    fares = _read_v2(tables)
    return fares if fares.rules else _read_v1(tables)


def _read_v1(tables: FeedTables) -> FeedFares:
    """Fares v1. The zones of several `contains_id` rows of one fare, route, origin and destination are one set."""
    file = "fare_attributes.txt"
    fares = FeedFares()
    agencies: dict[str, str | None] = {}
    for row in tables.rows(file):
        code = row.get("fare_id", "")
        minor = _amount(row.get("price", ""), row.get("currency_type", ""))
        if not code or minor is None:
            _warn_unpriced(tables, file, row, "price", row.get("price", ""))
            continue
        fares.products[code] = Product(code, code, row["currency_type"].upper(), file, {"adult": minor})
        agencies[code] = row.get("agency_id") or None
    grouped: dict[tuple[str, str | None, str | None, str | None], set[str]] = {}
    for row in tables.rows("fare_rules.txt"):
        code = row.get("fare_id", "")
        if code not in fares.products:
            tables.report.warn("dangling-reference", "fare_rules.txt", row.line, subject="fare_id", example=code)
            continue
        key = (code, row.get("route_id") or None, row.get("origin_id") or None, row.get("destination_id") or None)
        zones = grouped.setdefault(key, set())
        if row.get("contains_id"):
            zones.add(row["contains_id"])
    for code in fares.products.keys() - {key[0] for key in grouped}:
        grouped[code, None, None, None] = set()
    for (code, route, origin, destination), zones in sorted(grouped.items(), key=str):
        fares.rules.append(
            Rule(
                product=code,
                agency_id=agencies[code],
                route_id=route,
                origin=origin,
                destination=destination,
                contains=frozenset(zones) or None,
                priority=sum(map(bool, (route, origin, destination, zones))),
                is_zonal=True,
            )
        )
    return fares


def _read_v2(tables: FeedTables) -> FeedFares:
    """Fares v2, as far as a single ride goes: transfers and joined legs do not concern it."""
    file = "fare_leg_rules.txt"
    fares = FeedFares(_read_products(tables))
    timed: list[Rule] = []
    for row in tables.rows(file):
        product = row.get("fare_product_id", "")
        if product not in fares.products:
            tables.report.warn("dangling-reference", file, row.line, subject="fare_product_id", example=product)
            continue
        rule = Rule(
            product=product,
            network_id=row.get("network_id") or None,
            origin=row.get("from_area_id") or None,
            destination=row.get("to_area_id") or None,
            priority=_whole(row.get("rule_priority", "")),
            is_exclusive="rule_priority" not in row,
        )
        if row.get("from_timeframe_group_id") or row.get("to_timeframe_group_id"):
            _warn_unpriced(tables, file, row, "timeframes are not looked at", product)
            timed.append(rule)
        else:
            fares.rules.append(rule)
    always = {(rule.network_id, rule.origin, rule.destination) for rule in fares.rules}
    fares.rules += [rule for rule in timed if (rule.network_id, rule.origin, rule.destination) not in always]
    used = {rule.product for rule in fares.rules}
    fares.products = {code: product for code, product in fares.products.items() if code in used}
    for file in ("fare_transfer_rules.txt", "fare_leg_join_rules.txt"):
        for row in tables.rows(file):
            _warn_unpriced(tables, file, row, "a ticket is for one ride")
    if fares.rules:
        for row in tables.rows("fare_attributes.txt"):
            _warn_unpriced(tables, "fare_attributes.txt", row, "the feed has Fares v2 too, which count")
    return fares


def _read_products(tables: FeedTables) -> dict[str, Product]:
    """Products with one price for each type of passenger: the cheapest medium that can be bought without a card.

    Where a feed has several categories that are one type to us (children under 4, children under 18), the dearest
    counts, since we do not ask for more than the type.
    """
    file = "fare_products.txt"
    media = {row.get("fare_media_id", ""): row.get("fare_media_type", "") for row in tables.rows("fare_media.txt")}
    riders = _rider_types(tables.rows("rider_categories.txt"))
    products: dict[str, Product] = {}
    offers: dict[str, dict[str, list[tuple[bool, int]]]] = defaultdict(lambda: defaultdict(list))
    for row in tables.rows(file):
        code, currency = row.get("fare_product_id", ""), row.get("currency", "").upper()
        minor = _amount(row.get("amount", ""), currency)
        if not code or minor is None or (code in products and products[code].currency != currency):
            _warn_unpriced(tables, file, row, "amount", row.get("amount", ""))
            continue
        category = row.get("rider_category_id", "")
        if category and riders.get(category) is None:
            _warn_unpriced(tables, file, row, "neither adults, children nor seniors", category)
            continue
        products.setdefault(code, Product(code, row.get("fare_product_name") or code, currency, file))
        needs_card = media.get(row.get("fare_media_id", ""), "") in _MEDIA_NOT_SOLD_HERE
        offers[code][category].append((needs_card, minor))
    for code, by_category in offers.items():
        prices = products[code].prices
        for category, amounts in by_category.items():
            passenger_type = riders.get(category) or "adult"
            prices[passenger_type] = max(prices.get(passenger_type, 0), min(amounts)[1])
    return products


def _warn_unpriced(tables: FeedTables, file: str, row: Row, subject: str, example: str = "") -> None:
    tables.report.warn("unpriced", file, row.line, subject=subject, example=example)


def _rider_types(categories: Iterable[Mapping[str, str]]) -> dict[str, PassengerType | None]:
    """Which type of passenger each rider category is, by default flag and name; `None` for others, such as students."""
    types: dict[str, PassengerType | None] = {}
    unnamed: list[str] = []
    for row in categories:
        category = row.get("rider_category_id", "")
        name = (row.get("rider_category_name") or category).casefold()
        if row.get("is_default_fare_category") == "1" or "adult" in name:
            types[category] = "adult"
        elif any(part in name for part in _CHILD):
            types[category] = "child"
        elif any(part in name for part in _SENIOR):
            types[category] = "senior"
        else:
            types[category] = None
            unnamed.append(category)
    if unnamed and "adult" not in types.values():
        types[unnamed[0]] = "adult"
    return types


def _amount(text: str, currency: str) -> int | None:
    """Minor units, `None` for what is no price: another currency than ISO 4217's, no number, negative, absurd."""
    try:
        money = Money.parse(text, currency.upper())
    except ValueError:
        return None
    return money.minor if 0 <= money.minor <= _DEAREST else None


def _whole(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0
