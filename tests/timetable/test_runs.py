"""From one site to another: which ride a departure gives, the same in SQL, in Python and by brute force."""

from datetime import UTC, datetime, timedelta
from itertools import product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.counting import counted_statements
from tests.timetable.conftest import NOW, TODAY
from tests.timetable.feeds import small_feed, stop_times, trips

from farebox.timetable import NotBoardable, OnSale, get_departure, get_sites, list_runs, segment

CITY = """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station
S,Aberg,50.0,8.0,1,
A1,Aberg bay 1,50.0,8.0,,S
A2,Aberg bay 2,50.0,8.0,,S
A3,"Aberg, Markt",50.02,8.02,,
B,Bedorf,50.5,9.0,,
C,Cestadt,51.0,10.0,,
"""


async def read_departures(database):
    async with database.begin() as work:
        ids = await (await work.execute("SELECT id FROM departure ORDER BY base_at, id")).fetchall()
        return [await get_departure(work, row[0]) for row in ids]


async def ids_of_sites(database):
    async with database.begin() as work:
        stops = await (await work.execute("SELECT source_id, id FROM stop")).fetchall()
        places = await (await work.execute("SELECT name, id FROM place")).fetchall()
    return dict(stops) | dict(places)


def ride(departure, from_id, to_id):
    try:
        found = segment(departure, from_id, to_id)
    except NotBoardable:
        return None
    return found.board.index, found.alight.index


async def test_the_ride_is_the_shortest_that_reaches_the_destination_first(importer, database):
    calls = ["A1 08:00", "A3 08:20", "B 09:00", "A2 10:00", "C 11:00", "B 12:00"]
    await importer(small_feed(stops=CITY, stop_times=stop_times(T1=calls)), on_sale=OnSale(1))
    (departure,) = await read_departures(database)
    site = await ids_of_sites(database)
    expected = {
        ("Aberg", "Bedorf"): (1, 2),
        ("S", "B"): (0, 2),
        ("A1", "Bedorf"): (0, 2),
        ("A2", "Bedorf"): (3, 5),
        ("Aberg", "Cestadt"): (3, 4),
        ("A3", "C"): (1, 4),
        ("Bedorf", "Cestadt"): (2, 4),
        ("Bedorf", "Aberg"): (2, 3),
        ("Aberg", "Aberg"): (0, 1),
        ("Cestadt", "Aberg"): None,
        ("C", "A1"): None,
    }
    assert {pair: ride(departure, site[pair[0]], site[pair[1]]) for pair in expected} == expected
    assert ride(departure, None, None) == (0, 5)
    assert ride(departure, site["Bedorf"], None) == (2, 5)
    assert ride(departure, None, site["Cestadt"]) == (0, 4)
    whole = segment(departure)
    assert (whole.first_slot, whole.end_slot, whole.duration_minutes) == (0, 5, 240)


async def test_nobody_rides_from_or_to_a_call_that_is_closed_to_them(importer, database):
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    times = header + (
        "T1,08:00:00,08:00:00,A1,1,0,1\nT1,08:30:00,08:30:00,A3,2,2,1\n"
        "T1,10:00:00,10:00:00,B,3,1,3\nT1,11:00:00,11:00:00,C,4,1,0\n"
    )
    await importer(small_feed(stops=CITY, stop_times=times), on_sale=OnSale(1))
    (departure,) = await read_departures(database)
    site = await ids_of_sites(database)
    assert [(c.boarding, c.alighting) for c in departure.calls] == [
        (True, False), (True, False), (False, True), (False, True)
    ]  # fmt: skip
    assert ride(departure, site["Aberg"], site["Bedorf"]) == (1, 2)
    assert ride(departure, site["A1"], site["A3"]) is None
    assert ride(departure, site["Bedorf"], site["Cestadt"]) is None
    async with database.begin() as work:
        origin, destination = await get_sites(work, [site["Bedorf"], site["Cestadt"]])
        assert await list_runs(work, origin, destination, NOW, NOW + timedelta(days=2)) == []


async def test_a_run_says_when_it_leaves_until_when_it_is_sold_and_how_far_it_goes(importer, database):
    stops = CITY.replace("parent_station\n", "parent_station,stop_timezone\n").replace(
        "10.0,,\n", "10.0,,,Europe/Kyiv\n"
    )
    times = stop_times(T1=["A1 23:50", "B 24:30 24:40", "C 26:00"])
    await importer(small_feed(stops=stops, stop_times=times), on_sale=OnSale(2, close_minutes=15))
    site = await ids_of_sites(database)
    start = datetime(2025, 3, 28, 23, tzinfo=UTC)
    async with database.begin() as work:
        origin, destination = await get_sites(work, [site["B"], site["C"]])
        (run,) = await list_runs(work, origin, destination, start, start + timedelta(days=1))
        departure = await get_departure(work, run.departure_id)
    ridden = segment(departure, site["B"], site["C"])
    assert run.departs_at.isoformat() == "2025-03-29T00:40:00+01:00"
    assert run.arrives_at.isoformat() == "2025-03-29T03:00:00+02:00"
    assert run.sales_close_at.isoformat() == "2025-03-29T00:25:00+01:00"
    assert departure.service_date == TODAY
    assert (run.board_index, run.alight_index) == (ridden.board.index, ridden.alight.index) == (1, 2)
    assert (run.board_stop_id, run.alight_stop_id) == (site["B"], site["C"])
    assert run.distance_m == ridden.alight.distance_m - ridden.board.distance_m > 80_000
    assert run.inventory_id == departure.inventory_id
    assert ridden.duration_minutes == 80


async def test_the_window_is_closed_at_its_start_and_open_at_its_end(importer, database):
    await importer(small_feed(stops=CITY, stop_times=stop_times(T1=["A1 12:00", "B 13:00"])), on_sale=OnSale(3))
    site = await ids_of_sites(database)
    noon = datetime(2025, 3, 28, 11, tzinfo=UTC)

    async def count(start, end):
        async with database.begin() as work:
            origin, destination = await get_sites(work, [site["Aberg"], site["Bedorf"]])
            return len(await list_runs(work, origin, destination, start, end))

    second = timedelta(seconds=1)
    assert await count(noon, noon + second) == 1
    assert await count(noon + second, noon + timedelta(days=1)) == 0
    assert await count(noon - timedelta(days=1), noon) == 0


async def test_cancelled_departures_are_no_runs(importer, database):
    await importer(small_feed(stops=CITY, stop_times=stop_times(T1=["A1 12:00", "B 13:00"])), on_sale=OnSale(3))
    site = await ids_of_sites(database)
    async with database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled'")
        origin, destination = await get_sites(work, [site["Aberg"], site["Bedorf"]])
        assert await list_runs(work, origin, destination, NOW, NOW + timedelta(days=9)) == []


@pytest.mark.parametrize("departures_on_sale", [1, 20])
async def test_a_departure_and_a_list_of_runs_take_the_same_few_statements(importer, database, departures_on_sale):
    await importer(
        small_feed(stops=CITY, stop_times=stop_times(T1=["A1 12:00", "B 13:00"])), on_sale=OnSale(departures_on_sale)
    )
    departure, *_ = await read_departures(database)
    site = await ids_of_sites(database)
    async with database.begin() as work:
        await work.driver()  # a connection says a few things of its own when it is new
        with counted_statements() as asked:
            await get_departure(work, departure.id)
            assert len(asked) == 1  # the journey is in memory since it was read above
            origin, destination = await get_sites(work, [site["Aberg"], site["Bedorf"]])
            runs = await list_runs(work, origin, destination, NOW, NOW + timedelta(days=40))
        assert (len(asked), len(runs)) == (3, departures_on_sale)


CALLS = st.lists(
    st.tuples(st.sampled_from(["A1", "A2", "A3", "B", "C"]), st.integers(0, 3), st.integers(0, 3)),
    min_size=2,
    max_size=7,
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(CALLS, min_size=1, max_size=4))
async def test_sql_python_and_brute_force_agree_on_every_pair(importer, database, journeys):
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    body = "".join(
        f"T{number},{12 + at}:00:00,{12 + at}:0{at}:00,{stop},{at},{pickup},{dropoff}\n"
        for number, calls in enumerate(journeys)
        for at, (stop, pickup, dropoff) in enumerate(calls)
    )
    usable = any(
        p != 1 and any(d != 1 for _, _, d in calls[at + 1 :])
        for calls in journeys
        for at, (_, p, _) in enumerate(calls)
    )
    if not usable:
        return
    async with database.begin() as work:
        await work.execute("TRUNCATE feed, inventory CASCADE")
    names = [f"T{number}" for number in range(len(journeys))]
    await importer(small_feed(stops=CITY, trips=trips(*names), stop_times=header + body), on_sale=OnSale(2))
    departures = await read_departures(database)
    site = await ids_of_sites(database)
    start, end = datetime(2025, 3, 28, 11, tzinfo=UTC), datetime(2025, 3, 29, 12, tzinfo=UTC)
    for one, other in product(["Aberg", "Bedorf", "S", "A3", "C"], repeat=2):
        async with database.begin() as work:
            origin, destination = await get_sites(work, [site[one], site[other]])
            runs = await list_runs(work, origin, destination, start, end)
        by_python = {d.id: found for d in departures if (found := ride(d, site[one], site[other]))}
        by_force = {d.id: found for d in departures if (found := _brute(d, site[one], site[other]))}
        assert by_python == by_force
        expected = {
            d.id: by_force[d.id] for d in departures
            if d.id in by_force and start <= d.calls[by_force[d.id][0]].departure < end
        }  # fmt: skip
        assert {run.departure_id: (run.board_index, run.alight_index) for run in runs} == expected
        assert [run.departs_at for run in runs] == sorted(run.departs_at for run in runs)


def _brute(departure, from_id, to_id):
    """Of all pairs of calls in order: the one that ends first, and of those the one that begins last."""
    pairs = [
        (b.index, a.index)
        for a, b in product(departure.calls, repeat=2)
        if a.index < b.index and a.boarding and b.alighting and a.is_at(from_id) and b.is_at(to_id)
    ]
    if not pairs:
        return None
    first = min(end for end, _ in pairs)
    return max(begin for end, begin in pairs if end == first), first
