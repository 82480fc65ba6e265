"""Suggestions while somebody types: prefixes first, then words inside names, then what looks alike."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.timetable import NameMatch, StopName, fold_names, list_places, list_stop_names, match_names

LONGEST_QUERY = 60
"""Characters of a query that are looked at."""

SHORTEST_MISTYPED = 4
"""Characters that a query must have before two of its letters are taken as swapped."""

LIKENESS = 0.4
"""How much of what was typed must be found in a name for it to be suggested as "alike" (trigram word similarity)."""

MAX_STOPS = 12
"""Stops told with each suggestion."""

SPELT_OUT = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue"})


@dataclass(frozen=True, slots=True)
class SuggestedStop:
    stop_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class PlaceSuggestion:
    """A place that may be meant. `stops` are at most `MAX_STOPS`, those that match what was typed first."""

    place_id: UUID
    name: str
    region: str
    country: str
    stops: tuple[SuggestedStop, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """What was typed, folded: as it is and spelt out (`forms`), and with neighbouring letters swapped (`swapped`)."""

    forms: tuple[str, ...]
    swapped: tuple[str, ...]

    def patterns(self) -> list[str]:
        """LIKE patterns over the forms of a name. Folded text has no `%`, `_` or backslash."""
        beginnings = [f"%\n{form}%" for form in (*self.forms, *map(_joined, self.forms), *self.swapped)]
        return list(dict.fromkeys([*beginnings, *(f"% {form}%" for form in self.forms)]))

    def tier(self, forms: str) -> int:
        """0: the whole name; 1: its beginning; 2: a word's beginning; 3: letters swapped; 4: alike."""
        if any(f"\n{form}\n" in forms for form in self.forms):
            return 0
        if any(f"\n{form}" in forms or f"\n{_joined(form)}" in forms for form in self.forms):
            return 1
        if any(f" {form}" in forms for form in self.forms):
            return 2
        return 3 if any(f"\n{form}" in forms for form in self.swapped) else 4


async def suggest_places(work: UnitOfWork, q: str, *, limit: int = 8) -> list[PlaceSuggestion]:
    """The places that somebody may mean who has typed `q`, best first.

    Accents, capitals, blanks and punctuation do not matter, `ue` stands for `ü`, translations and the names of stops
    count too, and typing errors are forgiven. Names that begin so come first, then names with a word that does, then
    those that look alike; among equals the busier place. Nothing typed, nothing suggested.
    """
    asked = await _fold(work, q)
    if asked is None:
        return []
    matches = await match_names(work, asked.patterns(), asked.forms[0])
    chosen = _rank(matches, asked)[:limit]
    if not chosen:
        return []
    places = await list_places(work, chosen)
    stops = await list_stop_names(work, chosen)
    language = current_language()
    return [
        PlaceSuggestion(
            place_id=place.id,
            name=place.name_in(language),
            region=place.region,
            country=place.country,
            stops=_shown_stops(stops[place.id], language),
        )
        for place in (places[place_id] for place_id in chosen)
    ]


async def _fold(work: UnitOfWork, q: str) -> Asked | None:
    typed = q.strip()[:LONGEST_QUERY]
    if not typed:
        return None
    given = [typed, typed.translate(SPELT_OUT)]
    folded = await fold_names(work, [*given, *_swaps(typed)], likeness=LIKENESS)
    forms = tuple(dict.fromkeys(form for form in folded[: len(given)] if form))
    if not forms:
        return None
    swapped = dict.fromkeys(_joined(form) for form in folded[len(given) :])
    return Asked(forms, tuple(form for form in swapped if form not in forms))


def _swaps(typed: str) -> list[str]:
    """What was meant by somebody whose fingers were too fast: "hnaoi" for "hanoi"."""
    if len(typed) < SHORTEST_MISTYPED:
        return []
    return [
        typed[:at] + second + first + typed[at + 2 :]
        for at, (first, second) in enumerate(pairwise(typed))
        if first.lower() != second.lower()
    ]


def _rank(matches: Iterable[NameMatch], asked: Asked) -> list[UUID]:
    best: dict[UUID, tuple[int, float, bool, int, int]] = {}
    for match in matches:
        tier = asked.tier(match.forms)
        likeness = round(-match.likeness, 2) if tier == 4 else 0.0  # noqa: PLR2004
        key = (tier, likeness, match.is_stop, -match.departures, len(match.forms))
        if match.place_id not in best or key < best[match.place_id]:
            best[match.place_id] = key
    return sorted(best, key=lambda place_id: (best[place_id], place_id))


def _shown_stops(stops: Sequence[StopName], language: str) -> tuple[SuggestedStop, ...]:
    return tuple(SuggestedStop(stop.id, stop.name_in(language)) for stop in stops[:MAX_STOPS])


def _joined(form: str) -> str:
    return form.replace(" ", "")
