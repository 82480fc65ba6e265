"""Every defect of a feed is a counted finding with its line, or a refusal that changes nothing. Never a traceback."""

from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.timetable.feeds import AGENCY, CALENDAR, ROUTES, STOP_TIMES, STOPS, small_feed, stop_times, trips

from farebox.core.errors import DomainError
from farebox.timetable import GtfsError

TWO_TRIPS = {
    "trips": trips("T1", "T2"),
    "stop_times": STOP_TIMES + "T2,12:00:00,12:00:00,A,1\nT2,13:00:00,13:00:00,B,2\n",
}
FREQUENCIES = "trip_id,start_time,end_time,headway_secs\n"


def found(report):
    return [(f.kind, f.file, f.subject, f.count, f.lines) for f in report.findings]


@pytest.mark.parametrize(
    ("files", "finding", "journeys", "calls"),
    [
        pytest.param(
            {"stop_times": STOP_TIMES.replace("09:00:00", "9 o'clock")},
            ("bad-time", "stop_times.txt", "arrival_time, departure_time", 1, [3]),
            1, 3, id="bad time",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES + "T9,12:00:00,12:00:00,A,1\n"},
            ("dangling-reference", "stop_times.txt", "trip_id", 1, [6]),
            1, 4, id="call of no trip",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES.replace(",C,", ",Z,")},
            ("dangling-reference", "stop_times.txt", "stop_id", 1, [4]),
            1, 3, id="call at no stop",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES + "T1,10:30:00,10:30:00,B,3\n"},
            ("duplicate-key", "stop_times.txt", "stop_sequence", 1, [6]),
            1, 4, id="sequence twice",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES.replace("C,3", "C,third")},
            ("bad-value", "stop_times.txt", "stop_sequence", 1, [4]),
            1, 3, id="bad sequence",
        ),
        pytest.param(
            {"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,location_id\n"
                           + STOP_TIMES.split("\n", 1)[1].replace("\n", ",\n") + "T1,,,,5,zone-7\n"},
            ("flexible-stop", "stop_times.txt", "", 1, [6]),
            1, 4, id="call in an area",
        ),
        pytest.param(
            {"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type\n"
                           "T1,08:00:00,08:00:00,A,1,0\nT1,09:00:00,09:00:00,B,2,maybe\nT1,10:00:00,10:00:00,C,3,1\n"},
            ("bad-value", "stop_times.txt", "pickup_type", 1, [3]),
            1, 3, id="bad pickup type",
        ),
        pytest.param(
            {"stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,shape_dist_traveled\n"
                           "T1,08:00:00,08:00:00,A,1,-5\nT1,09:00:00,09:00:00,B,2,7\n"},
            ("bad-value", "stop_times.txt", "shape_dist_traveled", 1, [2]),
            1, 2, id="bad way",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES.replace("10:00:00,10:05:00", "09:02:00,09:03:00")},
            ("time-goes-back", "stop_times.txt", "", 1, [4]),
            1, 4, id="time goes back",
        ),
        pytest.param(
            {"stop_times": STOP_TIMES.replace("10:00:00,10:05:00", "10:00:00,09:55:00")},
            ("time-goes-back", "stop_times.txt", "", 1, [4]),
            1, 4, id="leaves before it comes",
        ),
        pytest.param(
            {"stops": STOPS.replace("50.50", "-50.50")},
            ("jump", "stop_times.txt", "", 2, [3, 4]),
            1, 4, id="position on the other side of the world",
        ),
        pytest.param(
            {"stops": STOPS.replace("51.00,10.00", "north,10")},
            ("bad-coordinate", "stops.txt", "stop_lat, stop_lon", 1, [4]),
            1, 3, id="bad position",
        ),
        pytest.param(
            {"stops": STOPS.replace("51.00,10.00", "0,0")},
            ("bad-coordinate", "stops.txt", "stop_lat, stop_lon", 1, [4]),
            1, 3, id="null island",
        ),
        pytest.param(
            {"stops": STOPS + "A,Again,50,8\n"},
            ("duplicate-key", "stops.txt", "stop_id", 1, [6]),
            1, 4, id="stop twice",
        ),
        pytest.param(
            {"stops": STOPS + ",Nameless,50,8\n"},
            ("missing-value", "stops.txt", "stop_id", 1, [6]),
            1, 4, id="stop without id",
        ),
        pytest.param(
            {"stops": STOPS.replace("stop_lon", "stop_lon,stop_timezone").replace("8.00\n", "8.00,Europe/Nowhere\n")},
            ("bad-zone", "stops.txt", "stop_timezone", 1, [2]),
            1, 4, id="bad zone of a stop",
        ),
        pytest.param(
            {"stops": STOPS.replace("stop_lon", "stop_lon,location_type").replace("8.00\n", "8.00,9\n")},
            ("bad-value", "stops.txt", "location_type", 1, [2]),
            1, 4, id="bad location type",
        ),
        pytest.param(
            {"routes": ROUTES + "R,HL,H9,,3\n"},
            ("duplicate-key", "routes.txt", "route_id", 1, [3]), 1, 4, id="line twice",
        ),
        pytest.param(
            {"routes": ROUTES + ",HL,H9,,3\n"},
            ("missing-value", "routes.txt", "route_id", 1, [3]), 1, 4, id="line without id",
        ),
        pytest.param(
            {"routes": ROUTES.replace(",3\n", ",bus\n")},
            ("bad-value", "routes.txt", "route_type", 1, [2]), 1, 4, id="bad type",
        ),
        pytest.param(
            {"routes": ROUTES.replace("H1,Aberg - Dehausen", ",")},
            ("missing-name", "routes.txt", "route_short_name", 1, [2]), 1, 4, id="line without a name",
        ),
        pytest.param(
            {"agency": AGENCY + "HL,Twice,,Europe/Berlin,,\n"},
            ("duplicate-key", "agency.txt", "agency_id", 1, [3]), 1, 4, id="agency twice",
        ),
        pytest.param(
            {"agency": AGENCY + "X,Other,,Europe/Rome,,\n"},
            ("mixed-zones", "agency.txt", "", 1, []), 1, 4, id="two zones",
        ),
        pytest.param(
            {"agency": AGENCY.replace(",de,", ",Deutsch,")},
            ("bad-value", "agency.txt", "agency_lang", 1, [2]), 1, 4, id="bad language",
        ),
        pytest.param(
            {"agency": AGENCY.replace("Hill Lines", "")}, ("missing-name", "agency.txt", "", 1, [2]), 1, 4, id="no name"
        ),
        pytest.param(
            {"trips": trips("T1", "T1")}, ("duplicate-key", "trips.txt", "trip_id", 1, [3]), 1, 4, id="trip twice"
        ),
        pytest.param(
            {"trips": trips("T1", "")}, ("missing-value", "trips.txt", "trip_id", 1, [3]), 1, 4, id="trip without id"
        ),
        pytest.param(
            {"trips": trips("T1") + "Z,daily,T2,\n"}, ("dangling-reference", "trips.txt", "route_id", 1, [3]), 1, 4,
            id="trip of no line",
        ),
        pytest.param(
            {"trips": trips("T1") + "R,never,T2,\n"}, ("idle-service", "trips.txt", "service_id", 1, [3]), 1, 4,
            id="trip on no day",
        ),
        pytest.param(
            {"trips": trips("T1", "T2")}, ("empty-trip", "trips.txt", "trip_id", 1, [3]), 1, 4, id="trip without calls"
        ),
        pytest.param(
            {"trips": trips("T1", "T2"), "stop_times": STOP_TIMES + "T2,08:00:00,08:00:00,A,1\n"},
            ("short-trip", "trips.txt", "trip_id", 1, [3]), 1, 4, id="trip with one call",
        ),
        pytest.param(
            {"trips": trips("T1", "T2"), "stop_times": STOP_TIMES + "T2,08:00:00,08:00:00,A,1\nT2,,,B,2\n"},
            ("untimed-trip", "trips.txt", "trip_id", 1, [3]), 1, 4, id="trip without its last time",
        ),
        pytest.param(
            {"trips": trips("T1", "T2"),
             "stop_times": "trip_id,arrival_time,departure_time,stop_id,stop_sequence,pickup_type,drop_off_type\n"
                           "T1,08:00:00,08:00:00,A,1,0,0\nT1,09:00:00,09:00:00,B,2,0,0\n"
                           "T2,08:00:00,08:00:00,A,1,1,0\nT2,09:00:00,09:00:00,B,2,0,0\n"},
            ("closed-trip", "trips.txt", "trip_id", 1, [3]), 1, 2, id="trip that nobody may board",
        ),
        pytest.param(
            {"trips": trips("T1").replace("trip_headsign", "trip_headsign,direction_id").replace("T1,\n", "T1,,7\n")},
            ("bad-value", "trips.txt", "direction_id", 1, [2]), 1, 4, id="bad direction",
        ),
        pytest.param(
            {"calendar": CALENDAR + "daily,0,0,0,0,0,0,0,20250101,20250102\n"},
            ("duplicate-key", "calendar.txt", "service_id", 1, [3]), 1, 4, id="service twice",
        ),
        pytest.param(
            {"calendar": CALENDAR + "odd,1,1,1,1,1,1,1,2025-02-30,20250401\n"},
            ("bad-date", "calendar.txt", "start_date, end_date", 1, [3]), 1, 4, id="bad date",
        ),
        pytest.param(
            {"calendar": CALENDAR.replace("daily,1", "daily,yes")},
            ("bad-value", "calendar.txt", "monday", 1, [2]), 1, 4, id="bad weekday",
        ),
        pytest.param(
            {"calendar_dates": "service_id,date,exception_type\ndaily,2025,1\n"},
            ("bad-date", "calendar_dates.txt", "date", 1, [2]), 1, 4, id="bad exception date",
        ),
        pytest.param(
            {"calendar_dates": "service_id,date,exception_type\ndaily,20250101,3\n"},
            ("bad-value", "calendar_dates.txt", "exception_type", 1, [2]), 1, 4, id="bad exception type",
        ),
        pytest.param(
            {"calendar_dates": "service_id,date,exception_type\ndaily,20250101,2\ndaily,20250101,1\n"},
            ("duplicate-key", "calendar_dates.txt", "service_id, date", 1, [3]), 1, 4, id="date twice",
        ),
        pytest.param(
            {"frequencies": FREQUENCIES + "T9,06:00:00,07:00:00,600\n"},
            ("dangling-reference", "frequencies.txt", "trip_id", 1, [2]), 1, 4, id="frequency of no trip",
        ),
        pytest.param(
            {"frequencies": FREQUENCIES + "T1,06:00:00,late,600\n"},
            ("bad-value", "frequencies.txt", "start_time, end_time", 1, [2]), 1, 4, id="bad frequency time",
        ),
        pytest.param(
            {"frequencies": FREQUENCIES + "T1,06:00:00,07:00:00,0\n"},
            ("bad-value", "frequencies.txt", "headway_secs", 1, [2]), 1, 4, id="no headway",
        ),
        pytest.param(
            {"frequencies": FREQUENCIES + "T1,00:00:00,24:00:00,1\n"},
            ("too-many-runs", "frequencies.txt", "headway_secs", 1, [2]), 1, 4, id="a run each second",
        ),
        pytest.param(
            {"translations": "table_name,field_name,language,translation\nstops,stop_name,German,X\n"},
            ("bad-value", "translations.txt", "language", 1, [2]), 1, 4, id="bad language of a translation",
        ),
    ],
)  # fmt: skip
async def test_a_defect_is_counted_with_its_line_and_the_rest_is_imported(importer, files, finding, journeys, calls):
    report = await importer(small_feed(**files))
    assert finding in found(report)
    assert (report.counts["journeys"], report.counts["calls"]) == (journeys, calls)
    assert f"{finding[1]}: {finding[3]} × " in report.text()


async def test_a_call_reached_before_the_last_was_left_is_moved_to_that_time(importer, rows):
    await importer(small_feed(stop_times=stop_times(T1=["A 08:00", "B 09:00 09:10", "C 09:05 09:08", "D 10:00"])))
    assert await rows("SELECT arrival_s / 60, departure_s / 60 FROM call ORDER BY position") == [
        (480, 480),
        (540, 550),
        (550, 550),
        (600, 600),
    ]


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (
            {"agency": AGENCY.replace("Europe/Berlin", "Europe/Berln")},
            "agency.txt, line 2, column agency_timezone: 'Europe/Berln' is not the name of a time zone; write it as in",
        ),
        ({"agency": AGENCY.replace("Europe/Berlin", "")}, "agency_timezone: The time zone is missing; write it"),
        ({"agency": AGENCY.split("\n")[0] + "\n"}, "agency.txt: There is no agency in it"),
        ({"stops": "stop_id,stop_name\nA,Aberg\n"}, "stops.txt: There is no usable stop in it"),
        (
            {"stops": "stop_id,stop_name,stop_lat,stop_lon\nA,Aberg,0,0\nB,Bedorf,0,0\n"},
            "There is no usable stop in it. stops.txt: 2 × stops without a usable position;",
        ),
        (
            {"stops": STOPS + "".join(sha256(b"%d" % n).hexdigest() for n in range(100)) + ",Endless,50,8\n"},
            "An id in it is longer than can be kept (about 2,000 characters).",
        ),
        ({"calendar": CALENDAR.replace("2025", "soon")}, "No service has a usable calendar"),
        ({"trips": trips("T9")}, "trips.txt: None of the trips can be used. stop_times.txt: 4 × rows that refer to"),
        (
            {"stop_times": "trip_id,stop_id,stop_sequence\nT1,A,1\nT1,B,2\n"},
            "None of the trips can be used. trips.txt: 1 × ",
        ),
        ({"trips": trips().rstrip()}, "None of the trips can be used. "),
    ],
)
async def test_a_feed_that_cannot_be_used_is_refused_and_changes_nothing(importer, rows, files, said):
    await importer(small_feed(), feed_code="hill")
    before = await rows("SELECT imported_at, (SELECT count(*) FROM call), (SELECT count(*) FROM stop) FROM feed")
    with pytest.raises(GtfsError) as refused:
        await importer(small_feed(**files), feed_code="hill")
    assert said in refused.value.text()
    assert (
        await rows("SELECT imported_at, (SELECT count(*) FROM call), (SELECT count(*) FROM stop) FROM feed") == before
    )
    assert await rows("SELECT count(*) FROM journey WHERE is_current") == [1]


FILES = sorted(small_feed())
MANGLED = st.lists(
    st.tuples(
        st.sampled_from(FILES),
        st.integers(0, 400),
        st.one_of(
            st.just("drop"),
            st.sampled_from(
                [",", '"', "\n", "\r", "", "-1", "1e9", "99:99:99", "\t", "\\N", "\\", "'", "%s", "\u202e", "𝔘"]
            ),
            st.text(max_size=5),
        ),
    ),
    min_size=1,
    max_size=6,
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(MANGLED)
async def test_no_mangled_feed_ends_in_a_traceback(importer, mangled):
    feed = small_feed()
    for name, at, put in mangled:
        text = feed[name]
        cut = at % (len(text) + 1)
        feed[name] = text[:cut] + text[cut + 7 :] if put == "drop" else text[:cut] + put + text[cut:]
    text = ""
    try:
        report = await importer({name: text.encode("utf-8", "surrogatepass") for name, text in feed.items()})
        text = report.text()
    except DomainError as refused:
        text = refused.text()
    assert text
