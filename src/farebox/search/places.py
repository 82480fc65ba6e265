"""Suggestions while somebody types: names that begin so, then words inside names; if there are none, what is alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import pairwise
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.timetable import (
    NameMatch,
    StopName,
    fold_names,
    list_places,
    list_stop_names,
    match_alike_names,
    match_names,
)

LONGEST_QUERY = 60
"""Characters of a query that are looked at."""

SHORTEST_MISTYPED = 4
"""Characters that a query must have before typing errors are looked for."""

LONGEST_SWAPPED = 12
"""Characters up to which swapped letters are looked for; longer names are alike enough by their trigrams."""

LIKENESS = 0.4
"""How much of what was typed must be found in a name for it to be "alike" (trigram word similarity)."""

MUCH_LESS_ALIKE = 0.1
"""Names that are alike by so much less than the best one are not what was meant."""

MAX_STOPS = 12
"""Stops told with each suggestion."""

SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True, slots=True)
class SuggestedStop:
    stop_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class PlaceSuggestion:
    """A place that may be meant. `stops` are at most `MAX_STOPS`, those whose own name was typed first."""

    place_id: UUID
    name: str
    region: str
    country: str
    stops: tuple[SuggestedStop, ...]


class Fit(IntEnum):
    """How well a name fits, best first."""

    WHOLE = 0
    BEGINNING = 1
    WORD = 2
    SWAPPED = 3
    ALIKE = 4


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, folded: as it is and spelt out (`forms`), and with two neighbouring letters swapped."""

    forms: tuple[str, ...]
    swapped: tuple[str, ...]

    def patterns(self) -> list[str]:
        """LIKE patterns over the forms of a name. Folded text has no `%`, `_` or backslash."""
        beginnings = [f"%\n{form}%" for form in (*self.forms, *map(_joined, self.forms), *self.swapped)]
        words = [f"% {form}%" for form in self.forms if len(form) > 1]
        return list(dict.fromkeys([*beginnings, *words]))

    def fit(self, forms: str) -> Fit:
        if any(f"\n{form}\n" in forms for form in self.forms):
            return Fit.WHOLE
        if any(f"\n{form}" in forms or f"\n{_joined(form)}" in forms for form in self.forms):
            return Fit.BEGINNING
        if any(f" {form}" in forms for form in self.forms):
            return Fit.WORD
        return Fit.SWAPPED if any(f"\n{form}" in forms for form in self.swapped) else Fit.ALIKE


@dataclass(frozen=True, slots=True, order=True)
class Rank:
    """The order of suggestions: fit, likeness, place's own name before its stops', busy places, short names."""

    fit: Fit
    unlikeness: float
    is_stop: bool
    quietness: int
    length: int


async def suggest_places(work: UnitOfWork, q: str, *, limit: int = 8) -> list[PlaceSuggestion]:
    """The places that somebody may mean who has typed `q`, best first.

    Accents, capitals, blanks and punctuation do not matter, `ue` stands for `ü`, translations and the names of stops
    count too. Names that begin so come first, then names with a word that does, then those of which two letters were
    swapped; where there are none of these, names that look alike. Among equals the busier place comes first. Nothing
    typed, nothing suggested.
    """
    asked = await _fold(work, q)
    if asked is None:
        return []
    matches = await match_names(work, asked.patterns())
    if not matches and len(asked.forms[0]) >= SHORTEST_MISTYPED:
        matches = await match_alike_names(work, asked.forms[0], likeness=LIKENESS)
    chosen = _rank(matches, asked)[:limit]
    if not chosen:
        return []
    places = await list_places(work, chosen)
    stops = await list_stop_names(work, chosen)
    typed_stops = {match.stop_id for match in matches if match.stop_id}
    language = current_language()
    return [
        PlaceSuggestion(
            place_id=place.id,
            name=place.name_in(language),
            region=place.region,
            country=place.country,
            stops=_shown(stops[place.id], typed_stops, language),
        )
        for place in (places[place_id] for place_id in chosen)
    ]


async def _fold(work: UnitOfWork, q: str) -> Asked | None:
    typed = q.replace("\0", "").strip()[:LONGEST_QUERY]
    if not typed:
        return None
    given = [typed, typed.translate(SPELT_OUT)]
    folded = await fold_names(work, [*given, *_swaps(typed)])
    forms = tuple(dict.fromkeys(form for form in folded[: len(given)] if form))
    if not forms:
        return None
    swapped = dict.fromkeys(_joined(form) for form in folded[len(given) :])
    return Asked(forms, tuple(form for form in swapped if form not in forms))


def _swaps(typed: str) -> list[str]:
    """What was meant by somebody whose fingers were too fast: "hnaoi" for "hanoi"."""
    if not SHORTEST_MISTYPED <= len(typed) <= LONGEST_SWAPPED:
        return []
    return [
        typed[:at] + second + first + typed[at + 2 :]
        for at, (first, second) in enumerate(pairwise(typed))
        if first.lower() != second.lower()
    ]


def _rank(matches: Iterable[NameMatch], asked: Asked) -> list[UUID]:
    best: dict[UUID, Rank] = {}
    for match in matches:
        unlikeness = round(1 - match.likeness, 2)
        rank = Rank(asked.fit(match.forms), unlikeness, match.stop_id is not None, -match.departures, len(match.forms))
        if match.place_id not in best or rank < best[match.place_id]:
            best[match.place_id] = rank
    limit = min((rank.unlikeness for rank in best.values()), default=0.0) + MUCH_LESS_ALIKE
    meant = [place_id for place_id, rank in best.items() if rank.unlikeness <= limit]
    return sorted(meant, key=lambda place_id: (best[place_id], place_id))


def _shown(stops: Sequence[StopName], typed: set[UUID], language: str) -> tuple[SuggestedStop, ...]:
    by_typed = sorted(stops, key=lambda stop: stop.id not in typed)
    return tuple(SuggestedStop(stop.id, stop.name_in(language)) for stop in by_typed[:MAX_STOPS])


def _joined(form: str) -> str:
    return form.replace(" ", "")
