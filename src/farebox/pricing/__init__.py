"""Fares: what a ride costs on a seat for a traveller, from the feed or by distance, and quotes made of it."""

from farebox.pricing.commands import sell_feed, set_fare_terms
from farebox.pricing.errors import BadFareTerms, NotForSale
from farebox.pricing.fares import Fares, Ride, SeatFare
from farebox.pricing.import_gtfs import import_fares
from farebox.pricing.queries import FARE_VERSIONS, fares_at, load_fares, load_fares_of
from farebox.pricing.quotes import PriceLine, Quote, describe_line, quote_ride, quote_seats
from farebox.pricing.terms import (
    DistanceFare,
    FareTerms,
    PassengerType,
    SeatSurcharge,
    default_distance_fares,
)

__all__ = [
    "FARE_VERSIONS",
    "BadFareTerms",
    "DistanceFare",
    "FareTerms",
    "Fares",
    "NotForSale",
    "PassengerType",
    "PriceLine",
    "Quote",
    "Ride",
    "SeatFare",
    "SeatSurcharge",
    "default_distance_fares",
    "describe_line",
    "fares_at",
    "import_fares",
    "load_fares",
    "load_fares_of",
    "quote_ride",
    "quote_seats",
    "sell_feed",
    "set_fare_terms",
]
