"""Tables of the timetable: what a feed says (places, stops, lines, journeys, calls, services) and what is on sale."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    SmallInteger,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

NO_TEXTS = text("'{}'::text[]")
NO_NAMES = text("'{}'::jsonb")


class Feed(Base):
    """A timetable that was imported, and may be imported again in a newer edition."""

    __tablename__ = "feed"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    language: Mapped[str]
    version: Mapped[str]
    timezone: Mapped[str]
    shift_days: Mapped[int]
    """Days added to every date of the feed: a multiple of seven."""
    first_date: Mapped[date | None]
    last_date: Mapped[date | None]
    """First and last day with service, after shifting."""
    imported_at: Mapped[datetime]


class Agency(Base):
    """Which operator an agency of a feed is."""

    __tablename__ = "agency"

    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"), primary_key=True)
    source_id: Mapped[str] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"), index=True)


class Place(Base):
    """What people search for: a city or a lone stop. It groups the stops, of all feeds, that serve it."""

    __tablename__ = "place"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NO_NAMES)
    """Language code -> name, where the feed has translations."""
    region: Mapped[str] = mapped_column(server_default="")
    country: Mapped[str] = mapped_column(server_default="")
    """ISO 3166 code of the country, empty where the zone does not tell."""
    timezone: Mapped[str]
    lat: Mapped[float] = mapped_column(Float(53))
    lon: Mapped[float] = mapped_column(Float(53))
    departures: Mapped[int] = mapped_column(server_default=text("0"))
    """Departures on sale that call here, counted with each new day on sale: busy places are suggested first."""


class Stop(Base):
    """Where a coach halts, or the station that such stops belong to."""

    __tablename__ = "stop"
    __table_args__ = (UniqueConstraint("feed_id", "source_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    source_id: Mapped[str]
    place_id: Mapped[UUID] = mapped_column(ForeignKey("place.id"), index=True)
    station_id: Mapped[UUID | None] = mapped_column(ForeignKey("stop.id"), index=True)
    """The station it is part of, at the top of the feed's hierarchy."""
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NO_NAMES)
    code: Mapped[str]
    platform: Mapped[str]
    lat: Mapped[float] = mapped_column(Float(53))
    lon: Mapped[float] = mapped_column(Float(53))
    timezone: Mapped[str]
    zone_id: Mapped[str | None]
    area_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NO_TEXTS)
    is_station: Mapped[bool]
    wheelchair: Mapped[int] = mapped_column(SmallInteger)
    """GTFS wheelchair_boarding: 0 unknown, 1 possible, 2 not possible."""


class Line(Base):
    """A line as travellers know it (GTFS route)."""

    __tablename__ = "line"
    __table_args__ = (UniqueConstraint("feed_id", "source_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    source_id: Mapped[str]
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"), index=True)
    vehicle_kind_id: Mapped[UUID] = mapped_column(ForeignKey("vehicle_kind.id"), index=True)
    name: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NO_NAMES)
    color: Mapped[str]
    """Six hexadecimal digits, or empty."""
    text_color: Mapped[str]
    route_type: Mapped[int]
    network_ids: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NO_TEXTS)


class SeatPlanRow(Base):
    """A seat plan. Never changed: another drawing is another row, so that sold units keep their seats."""

    __tablename__ = "seat_plan"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    name: Mapped[str]
    document: Mapped[dict[str, Any]] = mapped_column(JSONB)


class VehicleKindRow(Base):
    """A kind of vehicle that an operator runs."""

    __tablename__ = "vehicle_kind"
    __table_args__ = (UniqueConstraint("operator_id", "code"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    code: Mapped[str]
    name: Mapped[str]
    amenities: Mapped[list[str]] = mapped_column(ARRAY(Text), server_default=NO_TEXTS)
    seat_plan_id: Mapped[UUID] = mapped_column(ForeignKey("seat_plan.id"), index=True)


class Service(Base):
    """On which days journeys run: a weekly pattern between two dates, days added and days removed."""

    __tablename__ = "service"
    __table_args__ = (UniqueConstraint("feed_id", "source_id"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    source_id: Mapped[str]
    weekdays: Mapped[int] = mapped_column(SmallInteger)
    """Bit 0 is Monday."""
    start_date: Mapped[date | None]
    end_date: Mapped[date | None]
    added: Mapped[list[date]] = mapped_column(ARRAY(Date))
    removed: Mapped[list[date]] = mapped_column(ARRAY(Date))


class Journey(Base):
    """A timetabled run, undated (GTFS trip). Never changed: an edition with other calls is another row.

    Departures with seats sold keep the journey they were sold on, so such a row outlives its feed's next edition;
    `is_current` tells them apart.
    """

    __tablename__ = "journey"
    __table_args__ = (
        Index("uq_journey_current", "feed_id", "source_id", unique=True, postgresql_where=text("is_current")),
        Index("ix_journey_feed", "feed_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    feed_id: Mapped[UUID] = mapped_column(ForeignKey("feed.id"))
    source_id: Mapped[str]
    line_id: Mapped[UUID] = mapped_column(ForeignKey("line.id"), index=True)
    service_id: Mapped[UUID] = mapped_column(ForeignKey("service.id"), index=True)
    headsign: Mapped[str]
    names: Mapped[dict[str, str]] = mapped_column(JSONB, server_default=NO_NAMES)
    """Language code -> headsign."""
    short_name: Mapped[str]
    direction: Mapped[int | None] = mapped_column(SmallInteger)
    timezone: Mapped[str]
    """The zone that its times are written in: the agency's."""
    offsets: Mapped[list[int]] = mapped_column(ARRAY(Integer))
    """Seconds by which it is run later, once for each: `{0}` but for frequencies."""
    first_departure_s: Mapped[int]
    last_boarding_s: Mapped[int]
    """Departure time of the last call where travellers may board; sales end with it."""
    call_count: Mapped[int] = mapped_column(SmallInteger)
    is_current: Mapped[bool]


class Call(Base):
    """A journey's call at a stop. Times are seconds after noon minus 12 hours of the service date (GTFS)."""

    __tablename__ = "call"
    __table_args__ = (
        Index(
            "ix_call_place",
            "place_id",
            "journey_id",
            "position",
            postgresql_include=["departure_s", "arrival_s", "stop_id", "pickup", "dropoff"],
        ),
        CheckConstraint("departure_s >= arrival_s", name="waits"),
    )

    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id", ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    """0 for the first call, then counted without gaps."""
    stop_id: Mapped[UUID] = mapped_column(ForeignKey("stop.id"), index=True)
    place_id: Mapped[UUID] = mapped_column(ForeignKey("place.id"))
    """The stop's place, repeated here for the search."""
    arrival_s: Mapped[int]
    departure_s: Mapped[int]
    pickup: Mapped[int] = mapped_column(SmallInteger)
    dropoff: Mapped[int] = mapped_column(SmallInteger)
    """GTFS types: 0 regular, 1 none, 2 by phone, 3 ask the driver."""
    timepoint: Mapped[bool]
    """False where the times are approximate."""
    distance_m: Mapped[int]
    """Metres from the first call, in straight lines from call to call."""


class DepartureRow(Base):
    """A journey on a date: what is sold. `id` is the `tripId` on the wire and outlives editions of the feed."""

    __tablename__ = "departure"
    __table_args__ = (
        Index("ix_departure_journey", "journey_id", "base_at"),
        Index("ix_departure_day", "service_date", "operator_id"),
        CheckConstraint("status IN ('scheduled', 'cancelled')", name="status"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    journey_id: Mapped[UUID] = mapped_column(ForeignKey("journey.id"))
    service_date: Mapped[date]
    offset_s: Mapped[int]
    base_at: Mapped[datetime]
    """Noon of the service date minus 12 hours, plus the offset: a call's seconds are counted from here."""
    inventory_id: Mapped[int] = mapped_column(
        BigInteger, ForeignKey("inventory.id", deferrable=True, initially="DEFERRED"), unique=True
    )
    """Checked at commit: taking a departure back first asks the inventory whether anybody has a seat."""
    operator_id: Mapped[UUID] = mapped_column(ForeignKey("operator.id"))
    vehicle_kind_id: Mapped[UUID] = mapped_column(ForeignKey("vehicle_kind.id"), index=True)
    seat_plan_id: Mapped[UUID] = mapped_column(ForeignKey("seat_plan.id"), index=True)
    sales_close_s: Mapped[int]
    """Sales at a call end this many seconds before it is left."""
    status: Mapped[str] = mapped_column(server_default="scheduled")
