"""What the steps of one import share."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias
from uuid import UUID, uuid5

from farebox.core.db import UnitOfWork
from farebox.timetable.grouping import fold
from farebox.timetable.gtfs import FeedTables, ImportReport, Row
from farebox.timetable.gtfs.values import parse_language

FEEDS_NAMESPACE = UUID("5b0a7f4e-2f5d-5e0c-9c1b-8f6f0a9b7c11")
"""Ids of feeds are made of it and the feed's code; ids of what is in a feed, of the feed's id and the source's."""


@dataclass(slots=True)
class FeedKeys:
    """Our ids for the feed's own.

    Attributes:
        agencies: agency_id -> operator. A feed with one agency answers to "" too.
        stops: stop_id -> stop, platforms and stations alike.
        lines: route_id -> line.
        line_operators: route_id -> operator.
    """

    feed_id: UUID
    feed_code: str
    agencies: dict[str, UUID] = field(default_factory=dict)
    stops: dict[str, UUID] = field(default_factory=dict)
    lines: dict[str, UUID] = field(default_factory=dict)
    line_operators: dict[str, UUID] = field(default_factory=dict)


ImportHook: TypeAlias = Callable[[UnitOfWork, FeedTables, FeedKeys], Awaitable[Mapping[str, int]]]
"""Reads more of a feed in the same transaction; returns counts for the report."""


@dataclass(slots=True)
class Import:
    """One import under way: its transaction, the feed's tables, what is known so far."""

    work: UnitOfWork
    tables: FeedTables
    report: ImportReport
    keys: FeedKeys
    language: str
    translations: "Translations"

    @property
    def feed_id(self) -> UUID:
        return self.keys.feed_id

    def id_of(self, kind: str, source_id: str) -> UUID:
        """The id of something in this feed: the same in every edition."""
        return uuid5(self.feed_id, f"{kind}:{source_id}")


class Translations:
    """Texts of a feed in other languages, by record or by the text itself (GTFS translations.txt).

    Before 2020 the file had the columns trans_id, lang and translation, trans_id being the text; feeds still come so.
    """

    _WANTED = frozenset(
        {
            ("stops", "stop_name"),
            ("routes", "route_short_name"),
            ("routes", "route_long_name"),
            ("trips", "trip_headsign"),
        }
    )

    def __init__(self, tables: FeedTables) -> None:
        self._by_record: dict[tuple[str, str, str], dict[str, str]] = {}
        self._by_text: dict[tuple[str, str, str], dict[str, str]] = {}
        for row in tables.rows("translations.txt"):
            table, column = row.get("table_name", ""), row.get("field_name", "")
            text, old_key = row.get("translation", ""), row.get("trans_id", "")
            if not text or not (old_key or (table, column) in self._WANTED):
                continue
            try:
                language = parse_language(row.get("language", "") or row.get("lang", ""))
            except ValueError:
                tables.report.warn("bad-value", "translations.txt", row.line, subject="language")
                continue
            if old_key:
                for wanted in self._WANTED:
                    self._by_text.setdefault((*wanted, old_key), {}).setdefault(language, text)
            elif record := row.get("record_id", ""):
                self._by_record.setdefault((table, column, record), {}).setdefault(language, text)
            elif value := row.get("field_value", ""):
                self._by_text.setdefault((table, column, value), {}).setdefault(language, text)

    def of(self, table: str, column: str, record: str, text: str) -> dict[str, str]:
        """Language code -> text, for the languages there are."""
        found = self._by_text.get((table, column, text), {}) | self._by_record.get((table, column, record), {})
        return {language: said for language, said in found.items() if language}


def value_or(ctx: Import, row: Row, file: str, column: str, parse: Callable[[str], str], default: str = "") -> str:
    """An optional value; one that cannot be read is counted, and `default` stands for it."""
    text = row.get(column, "")
    try:
        return parse(text) if text else default
    except ValueError:
        ctx.report.warn("bad-value", file, row.line, subject=column, example=text)
        return default


def choice_or(ctx: Import, row: Row, file: str, column: str, highest: int, default: int = 0) -> int:
    """An optional enumeration from 0 to `highest`; one that cannot be read is counted, and `default` stands for it."""
    text = row.get(column, "")
    if not text:
        return default
    if text.isascii() and text.isdigit() and int(text) <= highest:
        return int(text)
    ctx.report.warn("bad-value", file, row.line, subject=column, example=text)
    return default


def slug(name: str) -> str:
    """A name as a code for addresses and settings: lower case, no accents, words joined by hyphens; may be empty."""
    folded = fold(name)
    words = "".join(c if c.isascii() and c.isalnum() else " " for c in folded).split()
    return "-".join(words)[:60].strip("-")
