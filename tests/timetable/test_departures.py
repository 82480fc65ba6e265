"""Journeys x calendar on the days ahead: instants, zones, clock changes, midnight; what is on sale and what is over."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.timetable.conftest import NOW, TODAY
from tests.timetable.feeds import CALENDAR, STOPS, small_feed, stop_times, trips

from farebox.core.ids import new_id
from farebox.timetable import (
    STANDARD_45,
    DepartureNotFound,
    OnSale,
    extend_sales,
    get_departure,
    get_place,
    list_departures,
    list_departures_leaving,
    materialise_departures,
    segment,
    sum_up_departures,
)
from farebox.timetable import departures as departures_module
from farebox.timetable.departures import base_instant

WEEK = OnSale(7)
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def departures(database, rows):
    """The departures of the one line of a small feed, as (trip, service date) -> Departure."""

    async def read():
        keys = await rows(
            "SELECT d.id, j.source_id, d.service_date FROM departure d JOIN journey j ON j.id = d.journey_id"
            " ORDER BY d.base_at, j.source_id, d.offset_s"
        )
        async with database.begin() as work:
            return [((trip, day), await get_departure(work, departure_id)) for departure_id, trip, day in keys]

    return read


def wall(instant: datetime) -> str:
    return instant.strftime("%d %H:%M%z")


async def test_a_departure_has_its_calls_with_their_instants(importer, departures, database):
    report = await importer(small_feed(), on_sale=OnSale(1))
    assert report.counts["departures put on sale"] == 1
    ((_, departure),) = await departures()
    assert (departure.headsign, departure.line.name, departure.vehicle.name) == ("Dehausen", "H1", "Coach")
    assert departure.vehicle.seat_types == ("standard",)
    assert departure.seat_plan.seats == STANDARD_45.seats
    assert departure.service_date == TODAY
    assert [(c.index, c.stop_name, wall(c.arrival), wall(c.departure)) for c in departure.calls] == [
        (0, "Aberg ZOB", "28 08:00+0100", "28 08:00+0100"),
        (1, "Bedorf", "28 09:00+0100", "28 09:05+0100"),
        (2, "Cestadt", "28 10:00+0100", "28 10:05+0100"),
        (3, "Dehausen", "28 11:00+0100", "28 11:00+0100"),
    ]
    assert {c.timezone for c in departure.calls} == {"Europe/Berlin"}
    first = departure.calls[0]
    assert departure.sales_close_at(first) == datetime(2025, 3, 28, 6, 55, tzinfo=UTC)
    assert departure.is_on_sale(first, NOW)
    assert not departure.is_on_sale(first, NOW + timedelta(minutes=55))
    assert departure.is_on_sale(departure.calls[1], NOW + timedelta(minutes=55))
    async with database.begin() as work:
        with pytest.raises(DepartureNotFound):
            await get_departure(work, new_id())


async def test_the_inventory_has_a_unit_for_each_seat_and_a_slot_for_each_leg(importer, rows):
    await importer(small_feed(), on_sale=OnSale(1, close_minutes=10))
    assert await rows(
        "SELECT units, slots, sales_close_at FROM inventory i JOIN departure d ON d.inventory_id = i.id"
    ) == [(45, 3, datetime(2025, 3, 28, 8, 55, tzinfo=UTC))]


async def test_clocks_go_forward_between_midnight_and_a_departure(importer, departures):
    """On Sunday 30 March 2025 at 02:00 it is 03:00. A run that is written 01:30 leaves at 00:30 by the clock on the
    wall, since times count from noon minus twelve hours (GTFS)."""
    times = stop_times(T1=["A 01:30", "B 03:30", "C 08:00"])
    await importer(small_feed(stop_times=times), on_sale=OnSale(4))
    found = {day.day: [wall(c.departure) for c in d.calls] for (_, day), d in await departures()}
    assert found == {
        29: ["29 01:30+0100", "29 03:30+0100", "29 08:00+0100"],
        30: ["30 00:30+0100", "30 03:30+0200", "30 08:00+0200"],
        31: ["31 01:30+0200", "31 03:30+0200", "31 08:00+0200"],
    }


async def test_clocks_go_back_between_midnight_and_a_departure(importer, departures):
    times = stop_times(T1=["A 00:30", "B 03:30", "C 08:00"])
    await importer(small_feed(stop_times=times), on_sale=OnSale(3, today=date(2025, 10, 25)))
    found = {day.day: [wall(c.departure) for c in d.calls] for (_, day), d in await departures()}
    assert found == {
        25: ["25 00:30+0200", "25 03:30+0200", "25 08:00+0200"],
        26: ["26 01:30+0200", "26 03:30+0100", "26 08:00+0100"],
        27: ["27 00:30+0100", "27 03:30+0100", "27 08:00+0100"],
    }


async def test_a_run_through_the_night_of_the_change_lasts_as_long_as_it_lasts(importer, departures):
    times = stop_times(T1=["A 22:00", "B 25:00", "C 28:00"])
    await importer(small_feed(stop_times=times), on_sale=OnSale(3))
    durations = {day.day: d.calls[-1].arrival - d.calls[0].departure for (_, day), d in await departures()}
    assert durations == {28: timedelta(hours=6), 29: timedelta(hours=6), 30: timedelta(hours=6)}
    saturday = next(d for (_, day), d in await departures() if day.day == 29)
    assert segment(saturday).duration_minutes == 360
    assert [wall(c.arrival) for c in saturday.calls] == ["29 22:00+0100", "30 01:00+0100", "30 05:00+0200"]


async def test_each_call_is_told_in_the_zone_of_its_stop(importer, departures, database):
    stops = STOPS.replace("stop_lon\n", "stop_lon,stop_timezone\n").replace("9.00\n", "9.00,Europe/London\n")
    stops = stops.replace("10.00\n", "10.00,Asia/Shanghai\n")
    await importer(small_feed(stops=stops), on_sale=OnSale(1))
    ((_, departure),) = await departures()
    assert [(c.timezone, wall(c.arrival)) for c in departure.calls] == [
        ("Europe/Berlin", "28 08:00+0100"),
        ("Europe/London", "28 08:00+0000"),
        ("Asia/Shanghai", "28 17:00+0800"),
        ("Europe/Berlin", "28 11:00+0100"),
    ]
    async with database.begin() as work:
        place = await get_place(work, departure.calls[2].place_id)
    assert (place.timezone, place.country, place.stops) == ("Asia/Shanghai", "CN", 1)
    assert place.name_in("fr") == "Cestadt"


async def test_yesterdays_run_that_is_still_to_be_boarded_is_on_sale_today(importer, rows, departures):
    """At 07:00 in Berlin, a run of Thursday that leaves its last stop but one at 31:30, on Friday at 07:30."""
    late = ["A 20:00", "B 31:30", "C 33:00"]
    over = ["A 20:00", "B 30:30", "C 33:00"]
    await importer(
        small_feed(trips=trips("late", "over"), stop_times=stop_times(late=late, over=over)), on_sale=OnSale(1)
    )
    assert [key for key, _ in await departures()] == [
        ("late", date(2025, 3, 27)),
        ("late", date(2025, 3, 28)),
        ("over", date(2025, 3, 28)),
    ]


async def test_runs_that_are_over_are_not_put_on_sale_and_those_of_another_day_are(importer, rows, database):
    times = stop_times(early=["A 05:00", "B 06:00"], soon=["A 07:04", "B 08:00"], later=["A 07:06", "B 08:00"])
    await importer(small_feed(trips=trips("early", "soon", "later"), stop_times=times), on_sale=OnSale(1))
    query = "SELECT j.source_id FROM departure d JOIN journey j ON j.id = d.journey_id ORDER BY 1"
    assert await rows(query) == ["later"]
    async with database.begin() as work:
        assert await materialise_departures(work, today=date(2025, 5, 1), horizon_days=1) == 3
        assert await materialise_departures(work, today=date(2025, 1, 1), horizon_days=2) == 6


async def test_putting_days_on_sale_may_be_repeated_and_goes_on(importer, rows, database):
    await importer(small_feed(), on_sale=WEEK)
    before = await rows("SELECT id, inventory_id FROM departure ORDER BY id")
    async with database.begin() as work:
        assert await materialise_departures(work, today=TODAY, horizon_days=7) == 0
        assert await materialise_departures(work, today=TODAY + timedelta(days=1), horizon_days=7) == 1
    assert await extend_sales(database, horizon_days=10, close_minutes=5) == 2
    after = await rows("SELECT id, inventory_id FROM departure ORDER BY id")
    assert len(after) == 10
    assert set(before) <= set(after)


async def test_a_large_network_is_put_on_sale_part_by_part(importer, rows, monkeypatch):
    monkeypatch.setattr(departures_module, "_BATCH", 7)
    report = await importer(small_feed(), on_sale=OnSale(30))
    assert report.counts["departures put on sale"] == 30
    assert await rows("SELECT count(*), count(DISTINCT inventory_id), count(DISTINCT service_date) FROM departure") == [
        (30, 30, 30)
    ]
    assert await rows(
        "SELECT count(*) FROM departure d JOIN inventory i ON i.id = d.inventory_id"
        " WHERE i.sales_close_at > d.base_at AND i.slots = 3"
    ) == [30]


async def test_nothing_is_on_sale_where_there_is_no_timetable(database):
    assert await extend_sales(database, horizon_days=10, close_minutes=5) == 0


async def test_exceptions_of_the_calendar_count(importer, rows):
    dates = "service_id,date,exception_type\ndaily,20250329,2\nextra,20250331,1\n"
    feed = small_feed(
        calendar_dates=dates,
        trips=trips("T1") + "R,extra,T2,\n",
        stop_times=stop_times(T1=["A 12:00", "B 13:00"], T2=["A 12:00", "B 13:00"]),
    )
    await importer(feed, on_sale=OnSale(5))
    assert await rows(
        "SELECT j.source_id, array_agg(extract(day FROM service_date)::int ORDER BY service_date)"
        "  FROM departure d JOIN journey j ON j.id = d.journey_id GROUP BY 1 ORDER BY 1"
    ) == [("T1", [28, 30, 31, 1]), ("T2", [31])]


async def test_a_shifted_calendar_keeps_its_weekdays(importer, rows):
    calendar = (
        "service_id,monday,tuesday,wednesday,thursday,friday,saturday,sunday,start_date,end_date\n"
        "daily,1,0,0,0,0,1,0,20140101,20141231\n"
    )
    report = await importer(small_feed(calendar=calendar), shift_to=TODAY, on_sale=OnSale(14))
    assert report.shift_days % 7 == 0
    assert await rows("SELECT DISTINCT extract(isodow FROM service_date)::int FROM departure ORDER BY 1") == [1, 6]
    assert await rows("SELECT count(*) FROM departure") == [4]
    assert report.hints == []
    assert await rows("SELECT shift_days, first_date, last_date FROM feed") == [
        (report.shift_days, report.first_date, report.last_date)
    ]


@pytest.mark.parametrize(
    ("calendar", "days_on_sale"),
    [
        (CALENDAR.replace("2025", "2014"), 30),
        (CALENDAR.replace("2025", "2031"), 30),
        (CALENDAR.replace("20250101,20251231", "20250428,99991231"), 30),
        (CALENDAR.replace("20250101,20251231", "20190101,20190110") + "other,1,1,1,1,1,1,1,20990101,20990110\n", 10),
    ],
    ids=["over", "far ahead", "just too late", "before and after"],
)
async def test_a_calendar_may_be_shifted_only_if_nothing_runs_soon(importer, calendar, days_on_sale):
    assert (await importer(small_feed(), shift_if_idle=True)).shift_days == 0
    report = await importer(small_feed(calendar=calendar), shift_if_idle=True, on_sale=OnSale(30))
    assert report.shift_days != 0
    assert report.counts["departures put on sale"] == days_on_sale
    assert report.hints == []


async def test_frequencies_are_departures_of_their_own(importer, departures):
    frequencies = "trip_id,start_time,end_time,headway_secs\nT1,09:00:00,11:00:00,3600\n"
    await importer(small_feed(frequencies=frequencies), on_sale=OnSale(1))
    found = await departures()
    assert [[wall(c.departure) for c in d.calls[:2]] for _, d in found] == [
        ["28 09:00+0100", "28 10:05+0100"],
        ["28 10:00+0100", "28 11:05+0100"],
    ]
    assert len({d.id for _, d in found}) == 2


async def test_vehicles_of_a_line_make_the_seats(importer, departures):
    kinds = "vehicle_kind_id,agency_id,name,seat_plan,amenities\nsleep,HL,Night Star,sleeper-34,wifi\n"
    routes = "route_id,agency_id,route_short_name,route_type,vehicle_kind_id\nR,HL,H1,3,sleep\n"
    await importer(small_feed(vehicle_kinds=kinds, routes=routes), on_sale=OnSale(1))
    ((_, departure),) = await departures()
    assert len(departure.seat_plan.seats) == 34
    assert (departure.vehicle.code, departure.vehicle.amenities) == ("sleep", ("wifi",))
    assert departure.vehicle.seat_types == ("sleeper",)


async def test_places_know_how_busy_they_are(importer, rows):
    times = stop_times(T1=["A 12:00", "B 13:00", "A 14:00"], T2=["B 12:00", "C 13:00"])
    await importer(small_feed(trips=trips("T1", "T2"), stop_times=times), on_sale=OnSale(3))
    assert await rows("SELECT name, departures FROM place ORDER BY name") == [
        ("Aberg ZOB", 3),
        ("Bedorf", 6),
        ("Cestadt", 3),
        ("Dehausen", 0),
    ]


async def test_departures_of_a_day_are_listed(importer, database):
    times = stop_times(T1=["A 12:00", "B 13:00"], T2=["B 11:00", "C 13:00", "D 15:30"])
    await importer(small_feed(trips=trips("T1", "T2"), stop_times=times), on_sale=OnSale(2))
    async with database.begin() as work:
        found = await list_departures(work, TODAY)
        assert [
            (d.first_stop, d.last_stop, wall(d.departs_at), wall(d.arrives_at), d.slots, d.units) for d in found
        ] == [
            ("Bedorf", "Dehausen", "28 11:00+0100", "28 15:30+0100", 2, 45),
            ("Aberg ZOB", "Bedorf", "28 12:00+0100", "28 13:00+0100", 1, 45),
        ]
        assert await list_departures(work, TODAY, operator_id=new_id()) == []
        assert await list_departures(work, TODAY, operator_id=found[0].operator_id, limit=1, offset=1) == found[1:]
        assert await list_departures(work, TODAY - timedelta(days=3)) == []


async def test_what_leaves_in_a_time_is_told_by_instants_and_not_by_service_dates(importer, database):
    """A run written 24:30 leaves on the next day; one written 00:10 does on the day before when clocks go forward."""
    times = stop_times(T1=["A 24:30", "B 25:30"], T2=["B 00:10", "C 13:00"])
    await importer(small_feed(trips=trips("T1", "T2"), stop_times=times), on_sale=OnSale(4))
    saturday, sunday = [datetime(2025, 3, day, tzinfo=BERLIN) for day in (29, 30)]
    async with database.begin() as work:
        operator_id = (await list_departures(work, TODAY))[0].operator_id
        found = await list_departures_leaving(work, operator_id, saturday, sunday, limit=9)
        assert [(d.service_date.day, wall(d.departs_at)) for d in found] == [
            (29, "29 00:10+0100"),
            (28, "29 00:30+0100"),
            (30, "29 23:10+0100"),
        ]
        latest = await list_departures_leaving(work, operator_id, saturday, sunday, limit=2, is_latest=True)
        assert latest == found[1:]
        totals = await sum_up_departures(work, operator_id, saturday, sunday)
        assert (totals.running, totals.units, totals.left, totals.ahead) == (3, 135, 0, 3)
        assert set(totals.inventory_ids) == {departure.inventory_id for departure in found}
        assert await list_departures_leaving(work, new_id(), saturday, sunday, limit=9) == []


@given(
    st.dates(date(2000, 1, 1), date(2050, 12, 31)),
    st.sampled_from(
        ["Europe/Berlin", "Asia/Ho_Chi_Minh", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]
    ),
)
def test_noon_is_always_twelve_hours_after_the_base(day, zone):
    noon = (base_instant(day, zone) + timedelta(hours=12)).astimezone(ZoneInfo(zone))
    assert (noon.date(), noon.hour, noon.minute) == (day, 12, 0)


async def test_two_at_once_put_each_departure_on_sale_once(importer, database, rows):
    await importer(small_feed())

    async def put_on_sale():
        async with database.begin() as work:
            return await materialise_departures(work, today=TODAY, horizon_days=20)

    assert sorted(await asyncio.gather(*(put_on_sale() for _ in range(4)))) == [0, 0, 0, 20]
    assert await rows("SELECT count(*) FROM departure") == await rows("SELECT count(*) FROM inventory") == [20]
