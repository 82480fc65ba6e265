"""An import that changes what operators sell is written down as theirs, and one that changes nothing is not."""

import pytest
from tests.timetable.feeds import small_feed, write_zip

from farebox.accounts import SYSTEM, find_operator_by_code
from farebox.core.i18n import language
from farebox.pricing import FaresOfFeed, import_fares, list_fare_changes
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
    assert {part for _, part, *_ in changes[1:]} == {"money", "distance"}
    [(before, after)] = [each[2:] for each in changes if each[1] == "money"]
    assert (before.currency, after.currency) == ("EUR", "VND")


@pytest.mark.parametrize(("code", "who"), [("en", "an import of a timetable"), ("vi", "việc nhập bảng giờ chạy")])
def test_the_console_says_that_it_was_an_import(code, who):
    with language(code):
        assert _who("import", {}) == who
