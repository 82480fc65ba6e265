"""Fares: what a ride costs on a seat for a traveller, from the feed or by distance, and quotes made of it."""

from farebox.pricing.auditing import FareChange, FarePart, FaresOfFeed, NewPromotion, NotedChange, list_fare_changes
from farebox.pricing.commands import sell_feed, set_fare_terms
from farebox.pricing.errors import (
    BadFareTerms,
    FareNotFound,
    NotForSale,
    PriceRuleNotFound,
    PromotionCodeTaken,
    PromotionNotFound,
)
from farebox.pricing.fare_books import change_fare_book, get_fare_book, set_fare_book, try_fare_book
from farebox.pricing.fare_parts import (
    change_price_rule,
    end_fare,
    set_fare,
    set_general_terms,
    set_sale_terms,
    with_price_rule,
)
from farebox.pricing.fares import FareBook, Fares, FareSource, SeatFare
from farebox.pricing.import_gtfs import import_fares
from farebox.pricing.open_returns import price_open_return
from farebox.pricing.promotion_codes import (
    end_promotion,
    get_promotion,
    list_promotions,
    make_promotion,
)
from farebox.pricing.promotions import (
    Promotion,
    count_promotion_again,
    discounted,
    find_promotion,
    forget_promotion_people,
    get_taken_promotion,
    pass_on_promotion,
    release_promotion,
    share_out,
    take_promotion,
)
from farebox.pricing.queries import FARE_VERSIONS, fares_at, load_fares, load_fares_of
from farebox.pricing.quotes import PriceLine, Quote, describe_line, quote_ride, quote_seats
from farebox.pricing.rides import Ride
from farebox.pricing.rules import RULE_KINDS, Occasion, PriceRule, RuleKind, load_bp
from farebox.pricing.sale_terms import DEFAULT_SALE_TERMS, SaleTerms, describe_sale_terms
from farebox.pricing.terms import (
    BASIS_POINTS,
    DistanceFare,
    FareCell,
    FareTerms,
    PassengerType,
    SeatSurcharge,
    Tax,
    default_distance_fares,
)

__all__ = [
    "BASIS_POINTS",
    "DEFAULT_SALE_TERMS",
    "FARE_VERSIONS",
    "RULE_KINDS",
    "BadFareTerms",
    "DistanceFare",
    "FareBook",
    "FareCell",
    "FareChange",
    "FareNotFound",
    "FarePart",
    "FareSource",
    "FareTerms",
    "Fares",
    "FaresOfFeed",
    "NewPromotion",
    "NotForSale",
    "NotedChange",
    "Occasion",
    "PassengerType",
    "PriceLine",
    "PriceRule",
    "PriceRuleNotFound",
    "Promotion",
    "PromotionCodeTaken",
    "PromotionNotFound",
    "Quote",
    "Ride",
    "RuleKind",
    "SaleTerms",
    "SeatFare",
    "SeatSurcharge",
    "Tax",
    "change_fare_book",
    "change_price_rule",
    "count_promotion_again",
    "default_distance_fares",
    "describe_line",
    "describe_sale_terms",
    "discounted",
    "end_fare",
    "end_promotion",
    "fares_at",
    "find_promotion",
    "forget_promotion_people",
    "get_fare_book",
    "get_promotion",
    "get_taken_promotion",
    "import_fares",
    "list_fare_changes",
    "list_promotions",
    "load_bp",
    "load_fares",
    "load_fares_of",
    "make_promotion",
    "pass_on_promotion",
    "price_open_return",
    "quote_ride",
    "quote_seats",
    "release_promotion",
    "sell_feed",
    "set_fare",
    "set_fare_book",
    "set_fare_terms",
    "set_general_terms",
    "set_sale_terms",
    "share_out",
    "take_promotion",
    "try_fare_book",
    "with_price_rule",
]
