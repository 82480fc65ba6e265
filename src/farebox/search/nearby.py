"""Where else one can go when nobody runs to the place that was asked for."""

from dataclasses import dataclass
from uuid import UUID

from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.timetable import distance_m, get_place, get_sites, list_reachable_places


@dataclass(frozen=True, slots=True)
class NearbyPlace:
    """A place that can be reached, and how far it is from where one wanted to go, as the crow flies."""

    id: UUID
    name: str
    distance_km: float


async def nearby_destinations(
    work: UnitOfWork, from_id: UUID, to_id: UUID, *, within_km: float = 100, limit: int = 3
) -> list[NearbyPlace]:
    """The places nearest to `to_id` that somebody runs to from `from_id` without a change.

    Raises:
        PlaceNotFound: one of the ids is unknown.
    """
    origin, destination = await get_sites(work, [from_id, to_id])
    wanted = await get_place(work, destination.place_id)
    language = current_language()
    found = [
        NearbyPlace(place.id, place.name_in(language), distance_m(place.lat, place.lon, wanted.lat, wanted.lon) / 1000)
        for place in await list_reachable_places(work, origin.place_id)
        if place.id != wanted.id
    ]
    return sorted((near for near in found if near.distance_km <= within_km), key=lambda near: near.distance_km)[:limit]
