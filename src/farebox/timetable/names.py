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
    """A place whose name, or the name of one of whose stops, matches.

    Attributes:
        forms: the folded forms of the name that matched, each beginning and ending with a line feed.
        is_stop: whether the name is a stop's.
        likeness: 0 to 1, how much of what was typed is in it, by trigrams.
    """

    place_id: UUID
    forms: str
    is_stop: bool
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
    WITH named AS (
        SELECT p.id AS place_id, search_names(p.name, p.names) AS forms, false AS is_stop
          FROM place p
         WHERE search_names(p.name, p.names) LIKE ANY(%(patterns)s)
            OR %(word)s::text <%% search_names(p.name, p.names)
         UNION ALL
        SELECT s.place_id, search_names(s.name, s.names), true
          FROM stop s
         WHERE search_names(s.name, s.names) LIKE ANY(%(patterns)s)
            OR %(word)s::text <%% search_names(s.name, s.names)
    )
    SELECT named.place_id, named.forms, named.is_stop, word_similarity(%(word)s, named.forms), p.departures
      FROM named
      JOIN place p ON p.id = named.place_id
"""

_STOPS = """
    SELECT place_id, id, name, names FROM stop WHERE place_id = ANY(%s) AND NOT is_station ORDER BY name, id
"""


async def fold_names(work: UnitOfWork, names: Sequence[str], *, likeness: float) -> list[str]:
    """Names as the indexes have them; also sets how alike `match_names` wants a word to be in this transaction."""
    cursor = await work.execute(
        "SELECT ARRAY(SELECT search_fold(name) FROM unnest(%s::text[]) WITH ORDINALITY AS given(name, n) ORDER BY n),"
        " set_config('pg_trgm.word_similarity_threshold', %s, true)",
        [list(names), str(likeness)],
    )
    row = await cursor.fetchone()
    assert row is not None
    folded: list[str] = row[0]
    return folded


async def match_names(work: UnitOfWork, patterns: Sequence[str], word: str) -> list[NameMatch]:
    """The names that fit one of the LIKE patterns, or that have a word like `word` in them (see `fold_names`)."""
    cursor = await work.execute(_MATCHES, {"patterns": list(patterns), "word": word})
    return [NameMatch(*row) for row in await cursor.fetchall()]


async def list_stop_names(work: UnitOfWork, place_ids: Sequence[UUID]) -> dict[UUID, list[StopName]]:
    """The stops of these places, in the order of their names."""
    cursor = await work.execute(_STOPS, [list(place_ids)])
    stops: dict[UUID, list[StopName]] = {place_id: [] for place_id in place_ids}
    for place_id, *stop in await cursor.fetchall():
        stops[place_id].append(StopName(*stop))
    return stops


async def count_departures(work: UnitOfWork) -> None:
    """Bring up to date how many departures on sale call at each place."""
    await work.execute("""
        UPDATE place p SET departures = coalesce(counted.departures, 0)
          FROM place q
          LEFT JOIN (
              SELECT c.place_id, count(*) AS departures
                FROM departure d JOIN call c ON c.journey_id = d.journey_id
               GROUP BY c.place_id
          ) AS counted ON counted.place_id = q.id
         WHERE q.id = p.id AND p.departures <> coalesce(counted.departures, 0)
    """)
