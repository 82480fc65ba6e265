"""Which stops are one place for a traveller: by name and nearness, since feeds do not say in which city a stop is.

A stop joins a city when its name begins with the city's name and it is near. A name is a city's when a stop shows it:
either the name before a word for a station ("Berlin ZOB", "Wien Westbahnhof") or before a comma or a dash between
blanks ("Oldenburg, Pferdemarkt", "Madrid - Atocha"), or a stop that is called so and nothing more ("Berlin").
What is in brackets tells cities apart: "Frankfurt(Main)Hbf" and "Frankfurt(M) Flughafen" may be one, "Frankfurt
(Oder)" is another. When in doubt stops stay apart: two places for one city are a nuisance, one place for two cities is
an error.
"""

import re
import unicodedata
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Generic, TypeVar

from farebox.timetable.geography import distance_m
from farebox.timetable.stop_words import NOT_A_CITY, PARTICLES, STATION_ENDINGS, STATION_WORDS

Key = TypeVar("Key", bound=Hashable)

CITY_RADIUS_M = 20_000
"""How far from the stop that shows a city's name another may be, to be in that city."""

BARE_RADIUS_M = 10_000
"""The same where only a stop with the bare name shows it: "Berlin" and "Berlin Südkreuz"."""

SAME_NAME_RADIUS_M = 2_000
"""How far apart stops with the very same name may be: two sides of a road, two exits of a motorway."""

LOCAL_EXTENT_M = 60_000
"""A feed no wider than this is a town's network. There "School" and "School Road" may be two villages' stops, so bare
names show no city."""

_WORD = re.compile(r"[^\s,;()\[\]/\-–—]+")


@dataclass(frozen=True, slots=True)
class NamedPoint(Generic[Key]):
    """A stop without a station, or a station, to be grouped."""

    key: Key
    name: str
    lat: float
    lon: float


@dataclass(slots=True)
class Group(Generic[Key]):
    """Points that are one place; `members` in the order given, the one that gave the group its name as `lead`."""

    name: str
    lead: Key
    members: list[NamedPoint[Key]]

    @property
    def position(self) -> tuple[float, float]:
        """The middle of its points."""
        size = len(self.members)
        return sum(m.lat for m in self.members) / size, sum(m.lon for m in self.members) / size


@dataclass(frozen=True, slots=True)
class CityName:
    """The part of a name that may be a city's.

    Attributes:
        text: as it is written.
        words: folded, without what is in brackets.
        bracket: folded words in brackets right after it ("main", "oder"), or empty.
        is_shown: whether the whole name shows that this part is a city's.
    """

    text: str
    words: tuple[str, ...]
    bracket: str
    is_shown: bool


@dataclass(slots=True)
class _City(Generic[Key]):
    name: CityName
    point: NamedPoint[Key]
    radius: float
    members: list[NamedPoint[Key]] = field(default_factory=list)


def group_points(points: Sequence[NamedPoint[Key]]) -> list[Group[Key]]:
    """Put points of one city together. Every point is in exactly one group, in the order of their first points."""
    is_local = _extent_m(points) <= LOCAL_EXTENT_M
    parsed = [(point, city_name(point.name)) for point in points]
    cities: dict[tuple[str, ...], list[_City[Key]]] = defaultdict(list)
    for point, name in sorted(parsed, key=lambda one: not one[1].is_shown):
        radius = CITY_RADIUS_M if name.is_shown else SAME_NAME_RADIUS_M if is_local else BARE_RADIUS_M
        if _is_city(name) and not any(_holds(city, name, point) for city in cities[name.words]):
            cities[name.words].append(_City(name, point, radius))
    groups: dict[Key, Group[Key]] = {}
    for point, _ in parsed:
        city = next(_cities_of(point, cities), None)
        lead = city.point if city else point
        groups.setdefault(lead.key, Group(city.name.text if city else point.name, lead.key, [])).members.append(point)
    for group in groups.values():
        group.name = _shown_name(group)
    return list(groups.values())


def city_name(name: str) -> CityName:
    """What of a stop's name may be a city's: the part before a station word or a comma, else all of it."""
    head, shown = name, False
    for mark in (",", ";", " - ", " – ", " — "):
        before, _, after = head.partition(mark)
        if after.strip() and before.strip():
            head, shown = before, True
    words = list(_WORD.finditer(head))
    for word in words[1:]:
        if _is_station_word(fold(word[0])):
            head, shown = head[: word.start()], True
            break
    head = head.rstrip(" -–—/([.")
    plain, bracket = _split_bracket(head)
    folded = [fold(word[0]) for word in _WORD.finditer(plain)]
    while len(folded) > 1 and folded[-1].isdigit():
        folded.pop()
        head = re.sub(r"\W+\d+\W*$", "", head)
    return CityName(" ".join(head.split()), tuple(folded), bracket, shown)


def is_same_city(one: str, other: str) -> bool:
    """Whether two names of places, near each other, mean the same city ("Aachen" and "Aachen Hbf")."""
    a, b = city_name(one), city_name(other)
    return a.words == b.words and _brackets_agree(a.bracket, b.bracket)


def fold(text: str) -> str:
    """Without accents and capitals."""
    flat = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D").replace("ł", "l").replace("Ł", "L"))
    return "".join(c for c in flat if not unicodedata.combining(c)).casefold().strip(".'’")


def _shown_name(group: Group[Key]) -> str:
    """The name that all members have; else the city's, without brackets where a member has it so."""
    names = {member.name for member in group.members}
    if len(names) == 1:
        return names.pop()
    words = city_name(group.name).words
    plain = [name for name in map(city_name, sorted(names)) if name.words == words and "(" not in name.text]
    return plain[0].text if plain else group.name


def _is_station_word(folded: str) -> bool:
    return folded in STATION_WORDS or folded.endswith(STATION_ENDINGS)


def _is_city(name: CityName) -> bool:
    """Guards against "Bad", "Rue", "La": heads that many names share without sharing a city."""
    words = name.words
    return (
        bool(words)
        and not all(word in NOT_A_CITY or word.isdigit() for word in words)
        and words[-1] not in PARTICLES
        and len("".join(words)) > 2  # noqa: PLR2004
    )


def _cities_of(point: NamedPoint[Key], cities: dict[tuple[str, ...], list[_City[Key]]]) -> Iterator[_City[Key]]:
    """The cities that a point may be in, the one with the shortest name first, and the nearest of those."""
    plain, bracket = _split_bracket(point.name)
    words = list(_WORD.finditer(plain))
    folded = tuple(fold(word[0]) for word in words)
    for size in range(1, len(folded) + 1):
        if size < len(words):
            gap = plain[words[size - 1].end() : words[size].start()]
            goes_on = "/" in gap or ("(" not in gap and folded[size] in PARTICLES)
            if goes_on:
                continue
        near = [
            (distance_m(point.lat, point.lon, city.point.lat, city.point.lon), index, city)
            for index, city in enumerate(cities.get(folded[:size], ()))
            if _brackets_agree(city.name.bracket, bracket)
        ]
        is_whole = all(word.isdigit() for word in folded[size:])
        for distance, _, city in sorted(near, key=lambda one: one[:2]):
            reach = SAME_NAME_RADIUS_M if is_whole and not city.name.is_shown else city.radius
            if distance <= reach or city.point.key == point.key:
                yield city


def _holds(city: _City[Key], name: CityName, point: NamedPoint[Key]) -> bool:
    reach = city.radius if city.name.is_shown else SAME_NAME_RADIUS_M
    return (
        _brackets_agree(city.name.bracket, name.bracket)
        and distance_m(city.point.lat, city.point.lon, point.lat, point.lon) <= reach
    )


def _split_bracket(name: str) -> tuple[str, str]:
    """A name with its first bracket taken out, and the folded text of that, if it tells cities apart."""
    match = re.search(r"\(([^()]*)\)?", name)
    if match is None or match.start() == 0:
        return name, ""
    inside = " ".join(fold(word[0]) for word in _WORD.finditer(match[1]))
    is_station = any(_is_station_word(word) for word in inside.split())
    return f"{name[: match.start()]} {name[match.end() :]}", "" if is_station else inside


def _brackets_agree(one: str, other: str) -> bool:
    """No bracket says nothing; "M" may be short for "Main"."""
    return not one or not other or one.startswith(other) or other.startswith(one)


def _extent_m(points: Sequence[NamedPoint[Key]]) -> float:
    if not points:
        return 0.0
    lats, lons = [p.lat for p in points], [p.lon for p in points]
    return distance_m(min(lats), min(lons), max(lats), max(lons))
