"""What becomes of each thing in a feed."""

from typing import Any

import pytest
from tests.timetable.feeds import AGENCY, CALENDAR, ROUTES, STOPS, small_feed, stop_times, trips

from farebox.core.ids import new_id
from farebox.timetable import GtfsError

THREE = ["A 08:00", "B 09:00", "C 10:00"]


async def test_a_small_feed_is_all_there(importer, rows):
    report = await importer(small_feed())
    assert report.findings == []
    assert report.counts == {
        "agencies": 1,
        "stops": 4,
        "stations": 0,
        "places": 4,
        "vehicle kinds": 1,
        "lines": 1,
        "services": 1,
        "journeys": 1,
        "calls": 4,
    }
    assert await rows("SELECT code, name, language, timezone, shift_days FROM feed") == [
        ("hill-lines", "Hill Lines", "", "Europe/Berlin", 0)
    ]
    assert await rows("SELECT code, name, url, phone, timezone, currency, language FROM operator") == [
        ("hill-lines", "Hill Lines", "https://hill.example", "+49 30 1", "Europe/Berlin", "EUR", "de")
    ]
    assert await rows("SELECT name, route_type FROM line") == [("H1", 3)]
    assert await rows(
        "SELECT headsign, timezone, offsets, first_departure_s, last_boarding_s, call_count, is_current FROM journey"
    ) == [("Dehausen", "Europe/Berlin", [0], 28800, 36300, 4, True)]
    assert await rows(
        "SELECT position, s.source_id, arrival_s, departure_s, pickup, dropoff, timepoint FROM call"
        " JOIN stop s ON s.id = stop_id ORDER BY position"
    ) == [
        (0, "A", 28800, 28800, 0, 0, True),
        (1, "B", 32400, 32700, 0, 0, True),
        (2, "C", 36000, 36300, 0, 0, True),
        (3, "D", 39600, 39600, 0, 0, True),
    ]
    ways = await rows("SELECT distance_m FROM call ORDER BY position")
    assert ways == pytest.approx([0, 90_300, 180_000, 269_200], rel=0.01)


async def test_ids_are_the_same_wherever_a_feed_is_imported(importer, rows):
    ids = "SELECT array_agg(id::text ORDER BY id) FROM {}"
    await importer(small_feed())
    first = [await rows(ids.format(table)) for table in ("feed", "place", "stop", "line", "journey", "service")]
    await importer(small_feed(), feed_code="Hill Lines")
    assert first == [await rows(ids.format(table)) for table in ("feed", "place", "stop", "line", "journey", "service")]
    await importer(small_feed(), feed_code="other")
    assert len((await rows(ids.format("stop")))[0]) == 8


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ({"feed_info": "feed_publisher_name,feed_lang\nNorth Data,de\n"}, "north-data"),
        ({}, "hill-lines"),
        ({"agency": "agency_id,agency_name,agency_timezone\nHL,Hill,Europe/Berlin\nX,Xpress,Europe/Berlin\n"}, "hill"),
        ({"agency": "agency_id,agency_name,agency_timezone\nHL,台灣高鐵,Asia/Taipei\n"}, "operator-4226a471"),
    ],
)
async def test_a_feed_is_known_by_its_publisher_its_only_agency_or_its_file(importer, files, code):
    assert (await importer(small_feed(**files))).feed_code == code


async def test_two_feeds_of_one_publisher_are_not_taken_for_one(importer, rows):
    info = "feed_publisher_name\nNorth Data\n"
    other = "agency_id,agency_name,agency_timezone\nHL,Valley Lines,Europe/Berlin\n"
    await importer(small_feed(feed_info=info))
    with pytest.raises(GtfsError, match=r"There is a feed 'north-data' already, with other operators \(hill-lines\)"):
        await importer(small_feed(feed_info=info, agency=other))
    await importer(small_feed(feed_info=info, agency=other), feed_code="valley")
    assert await rows("SELECT code FROM feed ORDER BY code") == ["north-data", "valley"]


async def test_agencies_without_an_id_are_the_only_one(importer, rows):
    agency = "agency_name,agency_timezone\nHill Lines,Europe/Berlin\n"
    routes = "route_id,route_short_name,route_type\nR,H1,3\n"
    assert (await importer(small_feed(agency=agency, routes=routes))).findings == []
    assert await rows("SELECT o.name FROM line l JOIN operator o ON o.id = l.operator_id") == ["Hill Lines"]


async def test_lines_belong_to_their_agency(importer, rows):
    agency = (
        "agency_id,agency_name,agency_timezone,brand_color\nHL,Hill,Europe/Berlin,AA3300\nX,Xpress,Europe/Berlin,\n"
    )
    routes = ROUTES + "S,X,X1,,3\nT,,T1,,3\nU,nobody,U1,,3\n"
    report = await importer(small_feed(agency=agency, routes=routes))
    assert await rows("SELECT l.name, o.code FROM line l JOIN operator o ON o.id = l.operator_id ORDER BY 1") == [
        ("H1", "hill"),
        ("X1", "xpress"),
    ]
    assert [(f.kind, f.subject, f.lines) for f in report.findings] == [("dangling-reference", "agency_id", [4, 5])]
    assert await rows("SELECT brand_color FROM operator WHERE code = 'hill'") == ["#aa3300"]


async def test_an_operator_is_paid_in_the_currency_of_its_fares_or_its_country(importer, rows):
    vietnam = "agency_id,agency_name,agency_timezone\nHL,Hill,Asia/Ho_Chi_Minh\n"
    await importer(small_feed(agency=vietnam))
    assert await rows("SELECT currency FROM operator") == ["VND"]
    await importer(small_feed(agency=vietnam, fare_attributes="fare_id,price,currency_type\nf,3,usd\n"))
    assert await rows("SELECT currency FROM operator") == ["USD"]
    with pytest.raises(GtfsError, match="'GELD' is no currency"):
        await importer(small_feed(agency=vietnam), currency="Geld")
    await importer(small_feed(agency=vietnam), currency="eur")
    assert await rows("SELECT currency FROM operator") == ["EUR"]
    await importer(small_feed(agency=vietnam))
    assert await rows("SELECT currency FROM operator") == ["EUR"], "a feed that tells none changes none"


@pytest.mark.parametrize(
    ("zone", "currency"),
    [("US/Central", "USD"), ("Asia/Calcutta", "INR"), ("Japan", "JPY"), ("Asia/Kuwait", "KWD"), ("Etc/UTC", "EUR")],
)
async def test_the_country_of_a_zone_is_known_by_old_names_too(importer, rows, zone, currency):
    await importer(small_feed(agency=AGENCY.replace("Europe/Berlin", zone)))
    assert await rows("SELECT currency FROM operator") == [currency]


async def test_platforms_belong_to_stations_and_a_station_is_a_place(importer, rows):
    stops = """stop_id,stop_name,stop_lat,stop_lon,location_type,parent_station,platform_code,stop_timezone,zone_id
S,Aberg,50.0,8.0,1,,,Europe/Vienna,
A,Aberg bay,50.0,8.0,0,S,2,Europe/Rome,z1
E,Aberg door,50.0,8.0,2,S,,,
N,Aberg hall,,,3,S,,,
X,Aberg bay 2,,,4,A,,,
B,,50.5,9.0,,,,,
C,Cestadt,51,10,0,gone,,,
"""
    areas = "area_id,stop_id\nwest,S\ninner,A\neast,B\n"
    times = stop_times(T1=["X 08:00", "B 09:00", "C 10:00"])
    report = await importer(small_feed(stops=stops, stop_times=times, stop_areas=areas))
    assert (report.counts["stops"], report.counts["stations"], report.counts["places"]) == (4, 1, 3)
    found = await rows(
        "SELECT s.source_id, s.name, top.source_id, p.name, s.platform, s.timezone, s.zone_id, s.area_ids, s.is_station"
        " FROM stop s JOIN place p ON p.id = s.place_id LEFT JOIN stop top ON top.id = s.station_id ORDER BY 1"
    )
    assert found == [
        ("A", "Aberg bay", "S", "Aberg", "2", "Europe/Vienna", "z1", ["inner", "west"], False),
        ("B", "B", None, "B", "", "Europe/Berlin", None, ["east"], False),
        ("C", "Cestadt", None, "Cestadt", "", "Europe/Berlin", None, [], False),
        ("S", "Aberg", None, "Aberg", "", "Europe/Vienna", None, ["west"], True),
        ("X", "Aberg bay 2", "S", "Aberg", "", "Europe/Vienna", None, ["west"], False),
    ]
    assert [(f.kind, f.lines) for f in report.findings] == [("dangling-reference", [8]), ("missing-name", [7])]
    assert await rows("SELECT country FROM place WHERE name = 'Aberg'") == ["AT"]


async def test_stops_of_two_feeds_share_the_place_of_their_city(importer, rows):
    await importer(small_feed())
    other = STOPS.replace("Aberg ZOB", "Aberg Airport").replace("50.00,8.00", "50.05,8.05").replace("50.50", "48.50")
    report = await importer(small_feed(stops=other), feed_code="other")
    assert report.counts["places"] == 4
    assert await rows(
        "SELECT p.name, count(*) FROM place p JOIN stop s ON s.place_id = p.id GROUP BY p.id ORDER BY 1, 2"
    ) == [("Aberg ZOB", 2), ("Bedorf", 1), ("Bedorf", 1), ("Cestadt", 2), ("Dehausen", 2)]


async def test_missing_times_are_in_proportion_to_the_way(importer, rows):
    stops = "stop_id,stop_name,stop_lat,stop_lon\nA,Aa,50,8\nB,Bb,50,9\nC,Cc,50,12\nD,Dd,50,16\n"
    times = stop_times(T1=["A 08:00", "B", "C", "D 16:00"])
    report = await importer(small_feed(stops=stops, stop_times=times))
    assert report.findings == []
    assert await rows("SELECT arrival_s / 3600.0, timepoint FROM call ORDER BY position") == [
        (8, True),
        (pytest.approx(9, abs=0.01), False),
        (pytest.approx(12, abs=0.01), False),
        (16, True),
    ]


async def test_the_feeds_own_distances_count_for_missing_times_when_they_grow(importer, rows):
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled\n"
    good = "T1,08:00:00,08:00:00,A,1,0\nT1,,,B,2,3\nT1,,,C,3,9\nT1,10:00:00,10:00:00,D,4,12\n"
    falls = "T2,08:00:00,08:00:00,A,1,0\nT2,,,B,2,9\nT2,10:00:00,10:00:00,D,4,3\n"
    still = "T3,08:00:00,08:00:00,A,1,\nT3,,,A,2,\nT3,,,A,3,\nT3,09:30:00,09:30:00,A,4,\n"
    await importer(small_feed(trips=trips("T1", "T2", "T3"), stop_times=header + good + falls + still))
    found = await rows(
        "SELECT j.source_id, array_agg(arrival_s / 60 ORDER BY position) FROM call"
        " JOIN journey j ON j.id = journey_id GROUP BY 1 ORDER BY 1"
    )
    assert found[0] == ("T1", [480, 510, 570, 600])
    assert found[1][1][1] == pytest.approx(480 + 120 / 3, abs=1), "one third of the way in straight lines"
    assert found[2] == ("T3", [480, 510, 540, 570])


async def test_one_of_arrival_and_departure_is_enough(importer, rows):
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,timepoint\n"
    times = header + "T1,,08:00:00,A,1,\nT1,09:00:00,,B,2,0\nT1,10:00:00,,C,3,1\n"
    await importer(small_feed(stop_times=times))
    assert await rows("SELECT arrival_s, departure_s, timepoint FROM call ORDER BY position") == [
        (28800, 28800, True),
        (32400, 32400, False),
        (36000, 36000, True),
    ]


async def test_calls_are_put_in_order_and_loops_are_kept(importer, rows):
    header, *lines = stop_times(T1=["A 08:00", "B 09:00", "A 10:00", "C 11:00"], T2=THREE).splitlines()
    mixed = "\n".join([header, *sorted(lines, key=lambda line: line[::-1])]) + "\n"
    report = await importer(small_feed(trips=trips("T1", "T2"), stop_times=mixed))
    assert report.findings == []
    assert await rows(
        "SELECT j.source_id, string_agg(s.source_id, '' ORDER BY position) FROM call c"
        " JOIN journey j ON j.id = journey_id JOIN stop s ON s.id = stop_id GROUP BY 1 ORDER BY 1"
    ) == [("T1", "ABAC"), ("T2", "ABC")]


async def test_pickup_and_drop_off_types_are_kept_and_sales_end_with_the_last_boarding(importer, rows):
    header = "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
    times = header + (
        "T1,08:00:00,08:00:00,A,1,2,1\nT1,09:00:00,09:00:00,B,2,3,0\n"
        "T1,10:00:00,10:00:00,C,3,1,2\nT1,11:00:00,11:00:00,D,4,0,3\n"
    )
    await importer(small_feed(stop_times=times))
    assert await rows("SELECT pickup, dropoff FROM call ORDER BY position") == [(2, 1), (3, 0), (1, 2), (0, 3)]
    assert await rows("SELECT last_boarding_s FROM journey") == [9 * 3600]


@pytest.mark.parametrize("exact", ["0", "1", ""])
async def test_frequencies_become_runs_at_fixed_times(importer, rows, exact):
    frequencies = (
        "trip_id,start_time,end_time,headway_secs,exact_times\n"
        f"T1,06:00:00,08:00:00,3600,{exact}\nT1,08:00:00,08:31:00,900,{exact}\n"
    )
    await importer(small_feed(frequencies=frequencies))
    (offsets,) = await rows("SELECT offsets FROM journey")
    assert [28800 + offset for offset in offsets] == [21600, 25200, 28800, 29700, 30600]


async def test_translations_give_names_in_other_languages(importer, rows):
    translations = (
        "table_name,field_name,language,translation,record_id,record_sub_id,field_value\n"
        "stops,stop_name,en,A Mountain,A,,\nstops,stop_name,vi-VN,Núi A,,,Aberg ZOB\n"
        "stops,stop_name,en,ignored,,,Aberg ZOB\n"
        "trips,trip_headsign,en,To D,,,Dehausen\nroutes,route_short_name,en,Hill 1,R,,\nstops,stop_desc,en,no,A,,\n"
    )
    await importer(small_feed(translations=translations))
    assert await rows("SELECT names FROM stop WHERE source_id = 'A'") == [{"en": "A Mountain", "vi": "Núi A"}]
    assert await rows("SELECT names FROM place WHERE name = 'Aberg ZOB'") == [{"en": "A Mountain", "vi": "Núi A"}]
    assert await rows("SELECT names FROM journey") == [{"en": "To D"}]
    assert await rows("SELECT names FROM line") == [{"en": "Hill 1"}]


async def test_translations_of_the_old_form_are_read(importer, rows):
    translations = "trans_id,lang,translation\nAberg ZOB,fr,Mont A\nH1,fr,Monts 1\nDehausen,fr,Vers D\nelse,it,no\n"
    report = await importer(small_feed(translations=translations))
    assert report.findings == []
    assert await rows("SELECT names FROM stop WHERE source_id = 'A'") == [{"fr": "Mont A"}]
    assert await rows("SELECT names FROM line") == [{"fr": "Monts 1"}]
    assert await rows("SELECT names FROM journey") == [{"fr": "Vers D"}]


async def test_a_service_without_an_end_ends_with_what_can_be_reckoned_with(importer, rows):
    report = await importer(small_feed(calendar=CALENDAR.replace("20251231", "99991231")))
    assert report.findings == []
    assert await rows("SELECT end_date::text FROM service") == ["2199-12-31"]


async def test_networks_come_from_routes_and_from_their_own_file(importer, rows):
    routes = (
        "route_id,agency_id,route_short_name,route_type,network_id,route_color,route_text_color\n"
        "R,HL,H1,3,night,1657BA,fff\n"
    )
    report = await importer(small_feed(routes=routes, route_networks="network_id,route_id\nfast,R\n"))
    assert await rows("SELECT network_ids, color, text_color FROM line") == [(["fast", "night"], "1657ba", "")]
    assert [(f.kind, f.subject, f.example) for f in report.findings] == [("bad-value", "route_text_color", "fff")]


@pytest.mark.parametrize(
    ("route_type", "name"),
    [("3", "Coach"), ("200", "Coach"), ("2", "Train"), ("109", "Train"), ("4", "Ferry"), ("0", "Tram")],
)
async def test_vehicles_that_a_feed_does_not_describe_are_named_by_the_type_of_line(importer, rows, route_type, name):
    await importer(small_feed(routes=ROUTES.replace(",3", f",{route_type}")))
    assert await rows(
        "SELECT v.name, v.amenities, p.name, jsonb_array_length(p.document -> 'seats') FROM line l"
        " JOIN vehicle_kind v ON v.id = l.vehicle_kind_id JOIN seat_plan p ON p.id = v.seat_plan_id"
    ) == [(name, [], "Coach, 45 seats", 45)]


async def test_vehicle_kinds_come_from_the_extension(importer, rows):
    kinds = (
        "vehicle_kind_id,agency_id,name,seat_plan,amenities\nsleep,HL,Night Star,sleeper-34,wifi;blanket|toilet\n"
        "vip,,VIP,limousine-9,\nodd,HL,Odd,hovercraft,\nforeign,XX,Foreign,limousine-9,\n"
    )
    routes = (
        "route_id,agency_id,route_short_name,route_type,vehicle_kind_id\n"
        "R,HL,H1,3,sleep\nS,HL,H2,3,vip\nT,HL,H3,3,odd\n"
    )
    report = await importer(small_feed(vehicle_kinds=kinds, routes=routes))
    assert await rows(
        "SELECT l.name, v.code, v.name, v.amenities, jsonb_array_length(p.document -> 'seats') FROM line l"
        " JOIN vehicle_kind v ON v.id = l.vehicle_kind_id JOIN seat_plan p ON p.id = v.seat_plan_id ORDER BY 1"
    ) == [
        ("H1", "sleep", "Night Star", ["wifi", "blanket", "toilet"], 34),
        ("H2", "vip", "VIP", [], 9),
        ("H3", "coach", "Coach", [], 45),
    ]
    assert [(f.kind, f.file, f.example) for f in report.findings] == [
        ("dangling-reference", "routes.txt", "odd"),
        ("bad-value", "vehicle_kinds.txt", "hovercraft"),
        ("dangling-reference", "vehicle_kinds.txt", "XX"),
    ]


async def test_the_default_vehicle_may_be_chosen_and_stays_as_the_office_changed_it(importer, database, rows):
    await importer(small_feed(), seat_plan="limousine-9")
    async with database.begin() as work:
        await work.execute("UPDATE vehicle_kind SET name = 'Blue coach', amenities = '{wifi}'")
    await importer(small_feed())
    assert await rows(
        "SELECT name, amenities, jsonb_array_length(document -> 'seats') FROM vehicle_kind v"
        " JOIN seat_plan p ON p.id = v.seat_plan_id".replace("SELECT name", "SELECT v.name")
    ) == [("Blue coach", ["wifi"], 9)]
    with pytest.raises(GtfsError, match="no seat plan 'bicycle'"):
        await importer(small_feed(), seat_plan="bicycle")


async def test_a_calendar_may_be_dates_alone_or_both(importer, rows):
    dates = "service_id,date,exception_type\ndaily,20250402,2\ndaily,20260101,1\nextra,20250401,1\nextra,20250403,1\n"
    report = await importer(
        small_feed(calendar_dates=dates, trips=trips("T1") + "R,extra,T2,\n", stop_times=stop_times(T1=THREE, T2=THREE))
    )
    assert report.findings == []
    found = await rows(
        "SELECT source_id, weekdays, start_date::text, end_date::text, added::text, removed::text"
        " FROM service ORDER BY 1"
    )
    assert found == [
        ("daily", 127, "2025-01-01", "2025-12-31", "{2026-01-01}", "{2025-04-02}"),
        ("extra", 0, None, None, "{2025-04-01,2025-04-03}", "{}"),
    ]
    assert (str(report.first_date), str(report.last_date)) == ("2025-01-01", "2026-01-01")
    await importer(small_feed(calendar="", calendar_dates="service_id,date,exception_type\ndaily,20250401,1\n"))
    assert await rows("SELECT weekdays, added::text FROM service") == [(0, "{2025-04-01}")]


async def test_a_calendar_that_ended_is_reported_with_what_to_do(importer):
    report = await importer(small_feed(calendar=CALENDAR.replace("2025", "2019")))
    assert report.hints == [
        "The calendar of this feed ended on 2019-12-31, so nothing of it is on sale. "
        "Import it with --shift-to 2025-03-28 to move it to now."
    ]
    assert report.text().endswith(report.hints[0])
    report = await importer(small_feed(calendar=CALENDAR.replace("2025", "2031")))
    assert report.hints == [
        "The calendar of this feed begins on 2031-01-01, so nothing of it is on sale yet. "
        "Import it with --shift-to 2025-03-28 to move it to now."
    ]
    report = await importer(small_feed(calendar=CALENDAR.replace("1,1,1,1,1,1,1", "0,0,0,0,0,0,0")))
    assert report.hints == ["No trip of this feed runs on any day, so nothing of it can be sold."]
    assert (await importer(small_feed())).hints == []


async def test_hooks_read_more_in_the_same_transaction_and_may_stop_it(importer, rows):
    seen: dict[str, Any] = {}

    async def read_zones(work, tables, keys):
        seen["keys"] = (keys.feed_code, set(keys.agencies), set(keys.stops), set(keys.lines), set(keys.line_operators))
        seen["rows"] = [row["fare_id"] for row in tables.rows("fare_rules.txt")]
        tables.report.warn("unpriced", "fare_rules.txt", 2)
        (stop,) = await (
            await work.execute("SELECT count(*) FROM stop WHERE id = ANY(%s)", [list(keys.stops.values())])
        ).fetchone()
        return {"fares": stop}

    async def break_off(work, tables, keys):
        raise GtfsError("The fares are broken.", file="fare_rules.txt")

    feed = small_feed(fare_rules="fare_id\nf1\nf2\n")
    with pytest.raises(GtfsError, match="The fares are broken"):
        await importer(feed, also=[read_zones, break_off])
    for table in (
        "feed",
        "operator",
        "agency",
        "place",
        "stop",
        "line",
        "service",
        "journey",
        "call",
        "vehicle_kind",
        "seat_plan",
    ):
        assert await rows(f"SELECT count(*) FROM {table}") == [0], table
    report = await importer(feed, also=[read_zones])
    assert seen == {"keys": ("hill-lines", {"HL", ""}, set("ABCD"), {"R"}, {"R"}), "rows": ["f1", "f2"]}
    assert report.counts["fares"] == 4
    assert report.count_of("unpriced") == 1


async def test_two_imports_of_one_feed_do_not_meet(importer, database):
    async def import_again(work, tables, keys):
        with pytest.raises(GtfsError, match="Another import of the feed 'hill-lines' is under way"):
            await importer(small_feed())
        return {}

    await importer(small_feed(), also=[import_again])


async def test_unknown_places_are_not_found(database):
    from farebox.timetable import PlaceNotFound, get_place, get_sites

    async with database.begin() as work:
        with pytest.raises(PlaceNotFound):
            await get_place(work, new_id())
        with pytest.raises(PlaceNotFound):
            await get_sites(work, [new_id()])
