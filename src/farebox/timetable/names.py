"""Finding places by what people type: names, translations and stops' names, through trigram indexes.

How a name is folded (accents, capitals, punctuation) is said once, in SQL (`search_fold`, `search_names`), because the
indexes are built with it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from farebox.core.db import UnitOfWork


@dataclass(frozen=True, slots=True)
class NameMatch:
    """A name that fits what was typed: a place's, or that of one of its stops.

    Attributes:
        stop_id: the stop whose name it is; `None` where it is the place's own.
        forms: the folded forms of the name, each beginning and ending with a line feed.
        likeness: 0 to 1, how much of what was typed is in it, by trigrams; 1 where that was not asked.
        departures: how busy the place is.
    """

    place_id: UUID
    stop_id: UUID | None
    forms: str
    likeness: float
    departures: int


@dataclass(frozen=True, slots=True)
class StopName:
    """A stop of a place, as a suggestion shows it."""

    id: UUID
    name: str
    names: dict[str, str]

    def name_in(self, language: str) -> str:
        return self.names.get(language, self.name)


_MATCHES = """
    SELECT p.id, NULL::uuid, search_names(p.name, p.names), {likeness}, p.departures
      FROM place p
     WHERE {condition}
     UNION ALL
    SELECT p.id, s.id, search_names(s.name, s.names), {stop_likeness}, p.departures
      FROM stop s
      JOIN place p ON p.id = s.place_id
     WHERE {stop_condition}
"""

_BEGINNING = _MATCHES.format(
    likeness="1",
    condition="search_names(p.name, p.names) LIKE ANY(%(patterns)s)",
    stop_likeness="1",
    stop_condition="search_names(s.name, s.names) LIKE ANY(%(patterns)s)",
)

_ALIKE = _MATCHES.format(
    likeness="word_similarity(%(word)s, search_names(p.name, p.names))",
    condition="%(word)s::text <%% search_names(p.name, p.names)",
    stop_likeness="word_similarity(%(word)s, search_names(s.name, s.names))",
    stop_condition="%(word)s::text <%% search_names(s.name, s.names)",
)

_STOPS = """
    SELECT place_id, id, name, names FROM stop WHERE place_id = ANY(%s) AND NOT is_station ORDER BY name, id
"""


async def fold_names(work: UnitOfWork, names: Sequence[str]) -> list[str]:
    """Names as the indexes have them, in the order given."""
    cursor = await work.execute(
        "SELECT search_fold(name) FROM unnest(%s::text[]) WITH ORDINALITY AS given(name, n) ORDER BY n", [list(names)]
    )
    return [folded for (folded,) in await cursor.fetchall()]


async def match_names(work: UnitOfWork, patterns: Sequence[str]) -> list[NameMatch]:
    """The names of which a line of folded forms fits one of the LIKE patterns."""
    cursor = await work.execute(_BEGINNING, {"patterns": list(patterns)})
    return [NameMatch(*row) for row in await cursor.fetchall()]


async def match_alike_names(work: UnitOfWork, folded: str, *, likeness: float) -> list[NameMatch]:
    """The names with something like `folded` in them: at least `likeness`, 0 to 1, of it."""
    await work.execute("SELECT set_config('pg_trgm.word_similarity_threshold', %s, true)", [str(likeness)])
    cursor = await work.execute(_ALIKE, {"word": folded})
    return [NameMatch(*row) for row in await cursor.fetchall()]


async def list_stop_names(work: UnitOfWork, place_ids: Sequence[UUID]) -> dict[UUID, list[StopName]]:
    """The stops of these places, in the order of their names."""
    cursor = await work.execute(_STOPS, [list(place_ids)])
    stops: dict[UUID, list[StopName]] = {place_id: [] for place_id in place_ids}
    for place_id, *stop in await cursor.fetchall():
        stops[place_id].append(StopName(*stop))
    return stops
