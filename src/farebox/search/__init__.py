"""What travellers ask first: places, trips between them on a day, and what they cost."""

from farebox.search.detail import get_trip
from farebox.search.errors import BadQuery
from farebox.search.nearby import NearbyPlace, nearby_destinations
from farebox.search.places import PlaceSuggestion, SuggestedStop, suggest_places
from farebox.search.popular import PopularConnection, popular_connections
from farebox.search.trips import neighbouring_days, search_trips
from farebox.search.views import (
    MAX_LIMIT,
    MAX_PASSENGERS,
    SORTS,
    DayPrice,
    OnSale,
    OperatorName,
    Sort,
    StopTime,
    TripConditions,
    TripDetail,
    TripFare,
    TripOffer,
    TripPage,
    TripQuery,
    TripTerms,
    VehicleName,
)

__all__ = [
    "MAX_LIMIT",
    "MAX_PASSENGERS",
    "SORTS",
    "BadQuery",
    "DayPrice",
    "NearbyPlace",
    "OnSale",
    "OperatorName",
    "PlaceSuggestion",
    "PopularConnection",
    "Sort",
    "StopTime",
    "SuggestedStop",
    "TripConditions",
    "TripDetail",
    "TripFare",
    "TripOffer",
    "TripPage",
    "TripQuery",
    "TripTerms",
    "VehicleName",
    "get_trip",
    "nearby_destinations",
    "neighbouring_days",
    "popular_connections",
    "search_trips",
    "suggest_places",
]
