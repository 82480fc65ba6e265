"""The departures on the first page of an operator's console, and who is led there."""

import re
from datetime import timedelta
from html import unescape

import pytest
from tests.counting import counted_statements
from tests.people import sign_in_as
from tests.staff import PROVED, Employer, make_operator
from tests.web.conftest import path_of

from farebox.accounts import add_member
from farebox.inventory import HoldTerms, take
from farebox.web.console import today as first_page


@pytest.fixture
async def lines(services, coach):
    """Whoever runs the coach."""
    return Employer(coach.departure.operator_id, "small", services.database, services.secrets)


@pytest.fixture
def morning(services, coach):
    """It is eight in the morning of the day on which the coach runs: it leaves at ten."""
    leaves = coach.departure.calls[0].departure
    services.database.clock = lambda: leaves.replace(hour=8)
    return leaves


@pytest.fixture
async def driver(lines, browser, morning):
    person = await lines.hire("driver", email="lai@example.com")
    await sign_in_as(browser.client, person, proved=PROVED)
    return person


def text_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def cancel_trip(services, coach):
    async with services.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", (coach.id,))


async def test_the_departures_of_today_say_how_full_they_are(browser, driver, coach, lines, services):
    at = f"/console/{lines.id}"
    assert "2 trips, 0 of 90 seats sold" in text_of(await browser.get(at))
    async with services.database.begin() as work:
        await coach.sell(work, "ac", "1A", "1B")
        await coach.sell(work, "ce", "1A")  # again, behind the stop where it was given up
        await take(work, [coach.want("ae", "5C")], owner="guest:1", terms=HoldTerms.of(services.settings))
        await coach.block(work, "9A")
    page = await browser.get(at)
    told = text_of(page)
    assert "2 trips, 2 of 90 seats sold" in told
    assert re.search(r"10:00 Ahorn to Eich .* 2 /45 \+1 held", told)
    assert '<meter min="0" max="45" value="2"' in page.text
    assert re.search(r"15:00 Eich to Ahorn .* 0 /45", told)


async def test_what_has_left_stands_by_itself(browser, driver, lines, services, morning):
    services.database.clock = lambda: morning.replace(hour=12)
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert told.index("15:00") < told.index("Left already (1)") < told.index("10:00")
    services.database.clock = lambda: morning.replace(hour=16)
    assert "All have left for today." in text_of(await browser.get(f"/console/{lines.id}"))


async def test_today_is_what_leaves_between_two_midnights_and_not_a_service_date(
    browser, driver, lines, services, coach
):
    async with services.database.begin() as work:
        await coach.sell(work, "ac", "1A")
        shifted = "UPDATE departure SET service_date = service_date + %s, base_at = base_at + %s WHERE id = %s"
        await work.execute(shifted, (-1, timedelta(0), coach.id))  # as one timed 34:00 of the day before
        await work.execute(shifted, (0, timedelta(hours=9), coach.return_id))  # at 24:00
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert "1 trip, 1 of 45 seats sold" in told
    assert "10:00 Ahorn to Eich" in told
    assert "Eich to Ahorn" not in told
    await cancel_trip(services, coach)
    async with services.database.begin() as work:
        await work.execute(shifted, (0, timedelta(hours=-9, minutes=-59), coach.id))  # at 0:01
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert re.search(r"Cancelled trips with travellers 1 .* 00:01 Ahorn to Eich", told)
    async with services.database.begin() as work:
        await work.execute(shifted, (0, timedelta(minutes=-2), coach.id))  # yesterday at 23:59
    assert "Cancelled trips" not in text_of(await browser.get(f"/console/{lines.id}"))


async def test_all_count_where_not_all_are_listed(browser, driver, lines, services, coach, morning, monkeypatch):
    monkeypatch.setattr(first_page, "MOST_LISTED", 1)
    async with services.database.begin() as work:
        await coach.sell(work, "ac", "1A")
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert "2 trips, 1 of 90 seats sold" in told
    assert told.index("10:00 Ahorn") < told.index("Later today (1) 1 more trip is not listed here.")
    assert "15:00" not in told
    services.database.clock = lambda: morning.replace(hour=16)
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert told.index("Left already (2) 1 more trip is not listed here.") < told.index("15:00 Eich")
    assert "10:00" not in told


async def test_a_day_without_departures_says_so(browser, driver, lines, services, morning):
    services.database.clock = lambda: morning + timedelta(days=365)
    await sign_in_as(browser.client, driver, proved=PROVED)
    assert "Nothing runs today" in text_of(await browser.get(f"/console/{lines.id}"))


async def test_a_cancelled_trip_with_travellers_waits_for_somebody(browser, lines, services, coach, morning):
    await sign_in_as(browser.client, await lines.hire("agent"), proved=PROVED)
    await cancel_trip(services, coach)
    services.database.clock = lambda: morning.replace(hour=8) - timedelta(days=1)
    at = f"/console/{lines.id}"
    assert "Cancelled trips" not in text_of(await browser.get(at))  # nobody is on it
    async with services.database.begin() as work:
        await coach.sell(work, "ac", "1A")
    page = await browser.get(at)
    assert '<a href="#cancelled"><b>1</b>' in page.text
    assert re.search(
        r"Cancelled trips with travellers 1 .* 10:00 Ahorn to Eich .* Does not run · 1 sold", text_of(page)
    )
    services.database.clock = lambda: morning.replace(hour=8)
    assert "1 trip, 0 of 45 seats sold" in text_of(await browser.get(at))  # it is none of today's that run


async def test_empty_cancelled_trips_hide_none_with_travellers(browser, lines, services, coach, morning, monkeypatch):
    monkeypatch.setattr(first_page, "MOST_LISTED", 1)
    await sign_in_as(browser.client, await lines.hire("agent"), proved=PROVED)
    async with services.database.begin() as work:
        await coach.sell(work, "ac", "1A")
        await work.execute("UPDATE departure SET status = 'cancelled'")
        await work.execute("UPDATE departure SET base_at = base_at + interval '8 hours' WHERE id = %s", (coach.id,))
    told = text_of(await browser.get(f"/console/{lines.id}"))
    assert re.search(r"Cancelled trips with travellers 1 .* 18:00 Ahorn to Eich .* Does not run · 1 sold", told)


async def test_departures_of_others_are_not_told(browser, lines, services, coach, morning):
    other = await make_operator(services.database, services.secrets, "other")
    await sign_in_as(browser.client, await other.hire("operator_admin"), proved=PROVED)
    assert (await browser.get(f"/console/{lines.id}")).status_code == 404
    assert "Nothing runs today" in text_of(await browser.get(f"/console/{other.id}"))


async def test_who_works_for_one_operator_is_led_into_its_console(browser, driver, lines, services):
    answer = await browser.get("/console")
    assert (answer.status_code, path_of(answer)) == (303, f"/console/{lines.id}")
    assert 'href="/console"' not in main_of(await browser.get(f"/console/{lines.id}"))
    other = await make_operator(services.database, services.secrets, "other")
    async with services.database.begin(reach="*") as work:
        await add_member(work, other.id, driver.id, "agent", invited_by=None)
    listed = await browser.get("/console")
    assert listed.status_code == 200
    assert f'href="/console/{lines.id}"' in listed.text
    assert f'href="/console/{other.id}/till"' in listed.text
    assert 'href="/console"' in main_of(await browser.get(f"/console/{lines.id}"))


def main_of(answer):
    return answer.text[answer.text.index("<main") :]


async def test_many_departures_are_asked_for_at_once(browser, driver, coach, lines, services):
    counts = []
    for seats in (["1A"], [f"{row}{letter}" for row in range(2, 7) for letter in "ABCD"]):
        async with services.database.begin() as work:
            for seat in seats:
                await coach.sell(work, "ae", seat)
        with counted_statements() as statements:
            assert (await browser.get(f"/console/{lines.id}")).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
