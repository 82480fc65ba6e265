"""The search form's understanding, and the results."""

import re
from urllib.parse import parse_qs, urlsplit

import psycopg
import pytest
from tests.coaches.coach import Coach
from tests.counting import counted_statements
from tests.web.conftest import path_of


@pytest.fixture
def day(coach: Coach) -> str:
    return coach.departure.calls[0].departure.date().isoformat()


async def test_names_are_understood_without_scripts(browser, coach, day):
    answer = await browser.get("/search", params={"from": "ahorn", "to": "EICH", "date": day})
    assert answer.status_code == 200
    assert "1 departure" in answer.text
    assert f"/trips/{coach.id}/seats?" in answer.text


async def test_an_id_counts_only_while_the_name_still_says_the_same(browser, coach, day):
    bach = str(coach.departure.calls[1].place_id)
    query = {"from": "Cella", "from_id": bach, "to": "Eich", "date": day}
    text = (await browser.get("/search", params=query)).text
    assert re.search(r'id="search-from"[^>]*value="Cella"', text)
    assert f'name="from_id" value="{bach}"' not in text


async def test_a_stop_named_in_full_is_meant_rather_than_its_town(browser, coach, settings, day):
    """In a town, people ride from one stop to another, and both are in one place."""
    town = coach.departure.calls[1].place_id
    with psycopg.connect(settings.database_url) as connection:
        connection.execute("UPDATE place SET name = 'Town' WHERE id = %s", [town])
        connection.execute("UPDATE place SET name = 'Nowhere' WHERE name = 'Cella'")
        connection.execute("UPDATE stop SET place_id = %s WHERE id = %s", [town, coach.stop("c")])
        connection.execute("UPDATE call SET place_id = %s WHERE stop_id = %s", [town, coach.stop("c")])
    query = {"from": "bach", "to": "Cella", "date": day}
    for left_over in ({}, {"from_id": str(town), "to_id": str(town)}):
        text = (await browser.get("/search", params=query | left_over)).text
        assert "1 departure" in text
        assert f'name="from_id" value="{coach.stop("b")}"' in text
        assert f'name="to_id" value="{coach.stop("c")}"' in text
    text = (await browser.get("/search", params={"from": "Town", "to": "Eich", "date": day})).text
    assert f'name="from_id" value="{town}"' in text


async def test_a_place_to_itself_is_refused_in_words(browser, day):
    answer = await browser.get("/search", params={"from": "Eich", "to": "Eich", "date": day})
    assert answer.status_code == 422
    assert "Choose a destination that is not where you start." in answer.text


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"from": "Ahorn"},
        {"from": "Ahorn", "to": "Eich", "date": "31.12.2026"},
        {"from": "Ahorn", "to": "Eich", "date": "9999-12-31"},
        {"from": "A" * 5000, "to": "\x01\x02", "date": "0001-01-01"},
        {"from": "'; DROP TABLE place; --", "to": "<script>", "travellers": "-3"},
    ],
)
async def test_nonsense_is_answered_with_the_form(browser, query):
    answer = await browser.get("/search", params=query)
    assert answer.status_code == 422
    assert "<script>" not in answer.text.replace("&lt;script&gt;", "")
    assert 'id="search-from"' in answer.text


@pytest.mark.parametrize(
    "extra",
    [
        {"sort": "nonsense", "leaves": "noon", "max_price": "abc", "show": "-1", "travellers": "99"},
        {"max_price": "99999999999999999999", "seat": "throne", "amenity": "pool", "show": "99999"},
        {"date": "2099-12-31"},
        {"date": "1970-01-02"},
    ],
)
async def test_filters_that_make_no_sense_do_no_harm(browser, day, extra):
    answer = await browser.get("/search", params={"from": "Ahorn", "to": "Eich", "date": day, **extra})
    assert answer.status_code == 200


async def test_a_trip_that_cannot_be_bought_any_more_says_so(browser, coach, settings):
    with psycopg.connect(settings.database_url, autocommit=True) as connection:
        connection.execute("UPDATE departure SET status = 'cancelled'")
    answer = await browser.get(f"/trips/{coach.id}/seats")
    assert answer.status_code == 303
    page = await browser.get(path_of(answer))
    assert "This trip cannot be booked any more." in page.text


async def test_links_back_find_the_same_search(browser, coach):
    ends = {"from": str(coach.stop("a")), "to": str(coach.stop("e")), "travellers": "2"}
    text = (await browser.get(f"/trips/{coach.id}/seats", params=ends)).text
    back = re.search(r'class="back" href="([^"]+)"', text)
    assert back
    query = parse_qs(urlsplit(back[1].replace("&amp;", "&")).query)
    assert (query["from"], query["to"], query["travellers"]) == (["Ahorn"], ["Eich"], ["2"])
    assert (await browser.get(back[1].replace("&amp;", "&"))).status_code == 200


async def test_results_ask_the_database_no_more_for_many_trips_than_for_one(browser, coach, day, database):
    url = "/search"
    params = {"from": "Ahorn", "to": "Eich", "date": day}
    await browser.get(url, params=params)
    with counted_statements() as one:
        await browser.get(url, params=params)
    async with database.begin() as work:
        for copy in range(1, 20):
            await work.execute(
                "INSERT INTO inventory (units, slots, sales_open_at, sales_close_at)"
                " SELECT units, slots, sales_open_at, sales_close_at FROM inventory WHERE id = %s",
                [coach.departure.inventory_id],
            )
            await work.execute(
                "INSERT INTO departure SELECT (jsonb_populate_record(d, jsonb_build_object("
                " 'id', gen_random_uuid(), 'offset_s', %s::int, 'base_at', d.base_at + %s * interval '1 minute',"
                " 'inventory_id', (SELECT max(id) FROM inventory)))).* FROM departure d WHERE d.id = %s",
                [copy * 60, copy, coach.id],
            )
    with counted_statements() as twenty:
        answer = await browser.get(url, params=params)
    assert "20 departures" in answer.text
    assert len(twenty) <= len(one)
