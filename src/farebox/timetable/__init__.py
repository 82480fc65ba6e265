"""The timetable: places, stops, lines, journeys, vehicles, and the departures that are on sale; imported from GTFS."""

from farebox.timetable.departures import materialise_departures
from farebox.timetable.errors import DepartureNotFound, GtfsError, NotBoardable, PlaceNotFound
from farebox.timetable.feeds import FeedView, find_feed
from farebox.timetable.geography import distance_m
from farebox.timetable.gtfs import FeedTables, Finding, ImportReport, Progress, Row
from farebox.timetable.importing import FeedKeys, ImportHook, OnSale, import_feed
from farebox.timetable.jobs import extend_sales, forget_departures
from farebox.timetable.lines import LineName, list_lines, list_patterns, list_served_places
from farebox.timetable.names import (
    NameMatch,
    StopName,
    fold_names,
    list_stop_names,
    match_alike_names,
    match_names,
)
from farebox.timetable.popular import list_busiest_pairs, list_reachable_places
from farebox.timetable.queries import (
    find_departure_id,
    find_first_and_last_run,
    get_place,
    get_sites,
    list_departures,
    list_places,
    list_runs,
)
from farebox.timetable.rides import RideFacts, RideKey, RideStop, list_ride_facts
from farebox.timetable.seat_plans import (
    LIMOUSINE_9,
    SLEEPER_34,
    STANDARD_45,
    TEMPLATES,
    Deck,
    Door,
    Seat,
    SeatPlan,
)
from farebox.timetable.views import (
    Call,
    Departure,
    DepartureSummary,
    LineView,
    PlaceView,
    Run,
    Segment,
    Site,
    VehicleKind,
    segment,
)
from farebox.timetable.whole_departures import (
    STAMPS,
    DepartureStamp,
    departure_of,
    get_departure,
    list_departure_stamps,
)

__all__ = [
    "LIMOUSINE_9",
    "SLEEPER_34",
    "STAMPS",
    "STANDARD_45",
    "TEMPLATES",
    "Call",
    "Deck",
    "Departure",
    "DepartureNotFound",
    "DepartureStamp",
    "DepartureSummary",
    "Door",
    "FeedKeys",
    "FeedTables",
    "FeedView",
    "Finding",
    "GtfsError",
    "ImportHook",
    "ImportReport",
    "LineName",
    "LineView",
    "NameMatch",
    "NotBoardable",
    "OnSale",
    "PlaceNotFound",
    "PlaceView",
    "Progress",
    "RideFacts",
    "RideKey",
    "RideStop",
    "Row",
    "Run",
    "Seat",
    "SeatPlan",
    "Segment",
    "Site",
    "StopName",
    "VehicleKind",
    "departure_of",
    "distance_m",
    "extend_sales",
    "find_departure_id",
    "find_feed",
    "find_first_and_last_run",
    "fold_names",
    "forget_departures",
    "get_departure",
    "get_place",
    "get_sites",
    "import_feed",
    "list_busiest_pairs",
    "list_departure_stamps",
    "list_departures",
    "list_lines",
    "list_patterns",
    "list_places",
    "list_reachable_places",
    "list_ride_facts",
    "list_runs",
    "list_served_places",
    "list_stop_names",
    "match_alike_names",
    "match_names",
    "materialise_departures",
    "segment",
]
