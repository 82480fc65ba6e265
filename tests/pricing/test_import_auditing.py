"""An import that changes what operators sell is written down as theirs, and one that changes nothing is not."""

import pytest
from tests.timetable.feeds import small_feed, stop_times, write_zip

from farebox.accounts import SYSTEM, find_operator_by_code
from farebox.core.i18n import language
from farebox.pricing import FarePart, FaresOfFeed, import_fares, list_fare_changes, load_fares
from farebox.pricing.rides import Ride
from farebox.timetable import import_feed
from farebox.web.console.history import _who

HEAD = "fare_id,price,currency_type,payment_method,transfers,agency_id\n"
CHEAP, DEAR = f"{HEAD}near,5.00,EUR,0,,HL\n", f"{HEAD}near,6.00,EUR,0,,HL\n"
TWO = f"{CHEAP}far,9.00,EUR,0,,HL\n"
RULES = "fare_id,route_id\nnear,R\n"


@pytest.fixture
def noted(database, tmp_path):
    """Imports fares with a feed of one operator; all that is noted of them by then, the oldest first."""

    async def run(fares, rules=RULES, **arguments):
        feed = write_zip(tmp_path / "hill.zip", small_feed(fare_attributes=fares, fare_rules=rules))
        await import_feed(database, feed, also=[import_fares], **arguments)
        async with database.begin(reach="*") as work:
            operator = await find_operator_by_code(work, "hill-lines")
            assert operator is not None
            found = await list_fare_changes(work, operator.id, ("feed", "money", "distance"), actor=SYSTEM, limit=50)
        return [(each.actor, each.change.part, each.change.before, each.change.after) for each in found[::-1]]

    return run


async def test_each_import_that_changes_a_fare_is_noted_as_an_imports(noted):
    first = ("import", "feed", None, FaresOfFeed(1))
    assert await noted(CHEAP) == [first]
    assert await noted(CHEAP) == [first]  # the same again
    dearer = ("import", "feed", FaresOfFeed(1), FaresOfFeed(1))
    assert await noted(DEAR) == [first, dearer]
    more = ("import", "feed", FaresOfFeed(1), FaresOfFeed(2))
    assert await noted(TWO) == [first, dearer, more]


async def test_rules_that_change_are_noted_as_well(noted):
    await noted(TWO)
    assert len(await noted(TWO, rules="fare_id,route_id\nfar,R\n")) == 2


async def test_a_currency_that_an_import_changes_is_noted_with_all_that_begins_afresh(noted):
    await noted(CHEAP)
    changes = await noted(CHEAP, currency="VND")
    assert {actor for actor, *_ in changes} == {"import"}
    assert {part for _, part, *_ in changes[1:]} == {"feed", "money", "distance"}
    assert changes[1][2:] == (FaresOfFeed(1), None)  # told in euro, and not sold any more
    [(before, after)] = [each[2:] for each in changes if each[1] == "money"]
    assert (before.currency, after.currency) == ("EUR", "VND")


OF_FEED: tuple[FarePart] = ("feed",)
AGENCIES = (
    "agency_id,agency_name,agency_url,agency_timezone\n"
    "HL,Hill Lines,https://hill.example,Asia/Ho_Chi_Minh\nVB,Valley Buses,https://valley.example,Asia/Ho_Chi_Minh\n"
)
ROUTES = "route_id,agency_id,route_short_name,route_type,network_id\nR,HL,1,3,hills\nV,VB,2,3,valleys\n"
V2_HEAD = "fare_product_id,fare_product_name,amount,currency\n"


def v1(near, far, rules):
    fares = f"{HEAD}near,{near},EUR,0,,\nfar,{far},EUR,0,,\n"
    return {"fare_attributes": fares, "fare_rules": f"fare_id,route_id\n{rules}"}


def v2(near, far, rules):
    return {
        "fare_products": f"{V2_HEAD}near,Near,{near},EUR\nfar,Far,{far},EUR\n",
        "fare_leg_rules": f"fare_product_id,network_id\n{rules}",
    }


@pytest.fixture
def noted_of_two(database, tmp_path):
    """Imports fares with a feed of two operators; what is noted of each by then: fares before and after."""

    async def run(fares):
        feed = write_zip(tmp_path / "both.zip", small_feed(agency=AGENCIES, routes=ROUTES, **fares))
        await import_feed(database, feed, also=[import_fares])
        found = []
        async with database.begin(reach="*") as work:
            for code in ("hill-lines", "valley-buses"):
                operator = await find_operator_by_code(work, code)
                assert operator is not None
                changes = await list_fare_changes(work, operator.id, OF_FEED, actor=SYSTEM, limit=50)
                found.append([(each.change.before, each.change.after) for each in changes[::-1]])
        return found

    return run


@pytest.mark.parametrize(
    ("fares", "mine", "theirs"),
    [(v1, "near,R\n", "far,V\n"), (v2, "near,hills\n", "far,valleys\n")],
    ids=["by line", "by network"],
)
async def test_it_is_noted_of_those_operators_whose_fares_changed(noted_of_two, fares, mine, theirs):
    one, two = FaresOfFeed(1), FaresOfFeed(2)
    assert await noted_of_two(fares("5.00", "9.00", mine + theirs)) == [[(None, one)], [(None, one)]]
    assert await noted_of_two(fares("5.00", "8.00", mine + theirs)) == [[(None, one)], [(None, one), (one, one)]]
    both = mine + theirs + mine.replace("near", "far")
    assert await noted_of_two(fares("5.00", "8.00", both)) == [[(None, one), (one, two)], [(None, one), (one, one)]]


async def test_a_fare_for_all_is_noted_of_all_and_one_of_an_operator_of_that_one(noted_of_two):
    one, two = FaresOfFeed(1), FaresOfFeed(2)

    def fares(everybodys, own):
        return {"fare_attributes": f"{HEAD}all,{everybodys},EUR,0,,\nown,{own},EUR,0,,VB\n"}

    first = [[(None, one)], [(None, two)]]
    assert await noted_of_two(fares("5.00", "9.00")) == first
    assert await noted_of_two(fares("5.00", "8.00")) == [first[0], [*first[1], (two, two)]]
    assert await noted_of_two(fares("4.00", "8.00")) == [[*first[0], (one, one)], [*first[1], (two, two), (two, two)]]


TRIPS = "route_id,service_id,trip_id,trip_headsign\nR,daily,T1,\nV,daily,T2,\n"
TIMES = stop_times(T1=["A 08:00", "B 09:00"], T2=["A 10:00", "C 11:00"])
AREAS = "area_id,stop_id\nhere,A\nthere,B\nbeyond,C\n"


def by_area(rules):
    return {
        "fare_products": f"{V2_HEAD}near,Near,5.00,EUR\nfar,Far,9.00,EUR\n",
        "fare_leg_rules": f"fare_product_id,network_id,from_area_id,to_area_id\n{rules}",
        "stop_areas": AREAS,
        "trips": TRIPS,
        "stop_times": TIMES,
    }


async def fare_of_the_valleys(database):
    """What says what their ride from here to beyond costs."""
    async with database.begin() as work:
        operator = await find_operator_by_code(work, "valley-buses")
        assert operator is not None
        row = await work.execute("SELECT id, feed_id FROM line WHERE operator_id = %s", (operator.id,))
        [(line_id, feed_id)] = await row.fetchall()
        ride = Ride(feed_id, line_id, ("valleys",), None, None, frozenset(), ("here",), ("beyond",), 9000, 3600)
        named = (await load_fares(work, operator.id)).named(ride, "standard")
        return named and named[1]


@pytest.mark.parametrize("named", ["near,hills,here,\n", "near,hills,,here\n"], ids=["origin", "destination"])
async def test_a_fare_that_names_no_area_means_another_one_once_a_rule_of_somebody_else_names_it(
    noted_of_two, database, named
):
    """GTFS: an empty area means, without `rule_priority`, all areas that no rule of the feed names."""
    one = FaresOfFeed(1)
    both = "near,hills,there,there\nfar,valleys,,\n"
    assert await noted_of_two(by_area(both)) == [[(None, one)], [(None, one)]]
    assert await fare_of_the_valleys(database) == "feed"
    assert await noted_of_two(by_area(named + both)) == [[(None, one), (one, one)], [(None, one), (one, one)]]
    assert await fare_of_the_valleys(database) == ("distance" if "hills,here" in named else "feed")
    assert await noted_of_two(by_area(both)) == [[(None, one), (one, one), (one, one)]] * 2


async def test_of_an_area_where_an_operator_does_not_call_nothing_is_noted(noted_of_two):
    one = FaresOfFeed(1)
    both = "near,hills,here,\nfar,valleys,,beyond\n"
    first = [[(None, one)], [(None, one)]]
    assert await noted_of_two(by_area(both)) == first
    more = "near,hills,there,\n" + both
    assert await noted_of_two(by_area(more)) == [[*first[0], (one, one)], first[1]]


@pytest.mark.parametrize(("code", "who"), [("en", "an import of a timetable"), ("vi", "việc nhập bảng giờ chạy")])
def test_the_console_says_that_it_was_an_import(code, who):
    with language(code):
        assert _who("import", {}) == who
