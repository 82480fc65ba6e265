"""Distances on the globe."""

from math import asin, cos, radians, sin, sqrt

EARTH_RADIUS_M = 6_371_009.0
"""Mean radius (IUGG)."""


def distance_m(lat1: float, lon1: float, lat2: float, lon2: float) -> float:
    """Metres between two positions in degrees, as the crow flies (haversine, good to half a percent)."""
    phi1, phi2 = radians(lat1), radians(lat2)
    half = sin((phi2 - phi1) / 2) ** 2 + cos(phi1) * cos(phi2) * sin(radians(lon2 - lon1) / 2) ** 2
    return 2 * EARTH_RADIUS_M * asin(min(1.0, sqrt(half)))
