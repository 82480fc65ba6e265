"""The files and columns of GTFS (Schedule Reference) and of our extensions, and which a feed cannot do without."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class FileSpec:
    """A file of GTFS: its columns in words, those that must be there, and those that make a row unique."""

    columns: frozenset[str]
    required: tuple[str, ...] = ()


def _spec(required: str, optional: str = "") -> FileSpec:
    return FileSpec(frozenset((required + " " + optional).split()), tuple(required.split()))


REQUIRED_FILES = ("agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt")
"""And one of calendar.txt and calendar_dates.txt."""

ESSENTIAL_FILES = frozenset({*REQUIRED_FILES, "calendar.txt", "calendar_dates.txt", "frequencies.txt"})
"""Without which runs would be wrong. Others that cannot be read cost names and fares only, and are left out."""

FILES: dict[str, FileSpec] = {
    "agency.txt": _spec(
        "agency_name agency_timezone",
        "agency_id agency_url agency_lang agency_phone agency_fare_url agency_email cemv_support brand_color",
    ),
    "stops.txt": _spec(
        "stop_id",
        "stop_code stop_name tts_stop_name stop_desc stop_lat stop_lon zone_id stop_url location_type parent_station "
        "stop_timezone wheelchair_boarding level_id platform_code stop_access place_region place_country",
    ),
    "routes.txt": _spec(
        "route_id",
        "agency_id route_short_name route_long_name route_desc route_type route_url route_color route_text_color "
        "route_sort_order continuous_pickup continuous_drop_off network_id cemv_support vehicle_kind_id",
    ),
    "trips.txt": _spec(
        "route_id service_id trip_id",
        "trip_headsign trip_short_name direction_id block_id shape_id wheelchair_accessible bikes_allowed cars_allowed "
        "safe_duration_factor safe_duration_offset",
    ),
    "stop_times.txt": _spec(
        "trip_id stop_sequence",
        "stop_id arrival_time departure_time location_group_id location_id stop_headsign "
        "start_pickup_drop_off_window end_pickup_drop_off_window pickup_type drop_off_type continuous_pickup "
        "continuous_drop_off shape_dist_traveled timepoint pickup_booking_rule_id drop_off_booking_rule_id",
    ),
    "calendar.txt": _spec(
        "service_id monday tuesday wednesday thursday friday saturday sunday start_date end_date", "service_name"
    ),
    "calendar_dates.txt": _spec("service_id date exception_type", "holiday_name"),
    "frequencies.txt": _spec("trip_id start_time end_time headway_secs", "exact_times"),
    "feed_info.txt": _spec(
        "feed_publisher_name",
        "feed_publisher_url feed_lang default_lang feed_start_date feed_end_date feed_version feed_contact_email "
        "feed_contact_url feed_id",
    ),
    "translations.txt": _spec(
        "translation", "table_name field_name language record_id record_sub_id field_value trans_id lang"
    ),
    "areas.txt": _spec("area_id", "area_name"),
    "stop_areas.txt": _spec("area_id stop_id"),
    "networks.txt": _spec("network_id", "network_name"),
    "route_networks.txt": _spec("network_id route_id"),
    "fare_attributes.txt": _spec("fare_id price currency_type", "payment_method transfers agency_id transfer_duration"),
    "fare_rules.txt": _spec("fare_id", "route_id origin_id destination_id contains_id"),
    "fare_products.txt": _spec("fare_product_id amount currency", "fare_product_name rider_category_id fare_media_id"),
    "fare_leg_rules.txt": _spec(
        "fare_product_id",
        "leg_group_id network_id from_area_id to_area_id from_timeframe_group_id to_timeframe_group_id rule_priority",
    ),
    "fare_media.txt": _spec("fare_media_id", "fare_media_name fare_media_type"),
    "rider_categories.txt": _spec(
        "rider_category_id", "rider_category_name is_default_fare_category eligibility_url min_age max_age"
    ),
    "vehicle_kinds.txt": _spec("vehicle_kind_id", "agency_id name seat_plan amenities"),
}
"""Files that are read, here or by the fares. `vehicle_kinds.txt`, `routes.vehicle_kind_id`, `agency.brand_color`,
`stops.place_region` and `stops.place_country` are extensions of Farebox."""

KNOWN_BUT_NOT_READ = frozenset(
    {
        "attributions.txt",
        "booking_rules.txt",
        "fare_leg_join_rules.txt",
        "fare_transfer_rules.txt",
        "levels.txt",
        "location_group_stops.txt",
        "location_groups.txt",
        "pathways.txt",
        "shapes.txt",
        "timeframes.txt",
        "transfers.txt",
    }
)
