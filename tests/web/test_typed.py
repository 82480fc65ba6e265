"""Choosing other seats while people are named loses nothing that was typed, and shows it to nobody else."""

import re
from urllib.parse import urlsplit
from uuid import UUID

from tests.people import make_person, sign_in_as
from tests.web.conftest import path_of
from tests.web.reading import read
from tests.web.test_checkout import PERSON, hold
from tests.web.test_several_trips import SECOND, query_of, round_trip, run_out, sql, take, where

from farebox.accounts import open_booking_session
from farebox.bookings import adopt_guest
from farebox.bookings.typed import forget_old_typed
from farebox.edge.access import BOOKING_COOKIE

__all__ = ["run_out", "sql"]

ODD = {"contact.email": "anh@", "passengers.0.full_name": "Nguyễn Thị Ánh", "passengers.0.id_number": "not yet"}


def back_of(page: str) -> str:
    """The hold that the button back to the seats names."""
    found = re.search(r'<button class="back" name="map" value="([^"]+)"', page)
    assert found
    return found[1]


def value_of(page: str, name: str) -> str:
    found = re.search(rf'name="{re.escape(name)}"[^>]*value="([^"]*)"', page)
    assert found, name
    return found[1]


def to_map(browser, people, page, **form):
    return browser.post(people, map=back_of(page), **form)


async def test_what_was_typed_is_there_again_whatever_it_is(browser, coach, sql):
    people = path_of(await hold(browser, coach, "5A"))
    page = (await browser.get(people)).text
    left = await to_map(browser, people, page, **ODD)
    assert path_of(left) == f"/trips/{coach.id}/seats"
    assert "anh" not in where(left)
    again = await take(browser, where(left), "6A")
    form = (await browser.get(where(again))).text
    assert "Passenger in seat 6A" in form
    assert value_of(form, "contact.email") == "anh@"
    assert value_of(form, "passengers.0.full_name") == "Nguyễn Thị Ánh"
    assert value_of(form, "passengers.0.id_number") == "not yet"
    assert read(form).loose_ends == []
    assert sql("SELECT count(*) FROM booking") == [(0,)]


async def test_each_keeps_their_seat_where_it_stays_and_who_lost_theirs_goes_first(browser, coach):
    people = path_of(await hold(browser, coach, "5A", "5B"))
    left = await to_map(browser, people, (await browser.get(people)).text, **PERSON, **SECOND)
    other = await take(browser, where(left), "5B", "6A")
    form = (await browser.get(where(other))).text
    assert value_of(form, "passengers.0.full_name") == "Lê Minh Khôi"  # 5B is theirs
    assert value_of(form, "passengers.1.full_name") == "Nguyễn Thị Ánh"
    left = await to_map(browser, where(other), form, **PERSON, **SECOND)
    fewer = await take(browser, where(left), "6A")
    form = (await browser.get(where(fewer))).text
    assert value_of(form, "passengers.0.full_name") == "Lê Minh Khôi"  # as it was sent last
    assert 'name="passengers.1.full_name"' not in form


async def test_there_and_back_too(browser, coach):
    people = await round_trip(browser, coach, ["5A", "5B"], ["6A", "6B"])
    page = (await browser.get(people)).text
    out = re.search(r'<button class="chosen__edit" formnovalidate name="map" value="([^"]+)"', page)
    assert out
    crossed = {"passengers.0.seats.1": "6B", "passengers.1.seats.1": "6A"}
    left = await browser.post(people, map=out[1], **PERSON, **SECOND, **crossed)
    assert path_of(left) == f"/trips/{coach.id}/seats"
    other = await take(browser, where(left), "5A", "7A")
    form = (await browser.get(where(other))).text
    assert value_of(form, "passengers.0.full_name") == "Nguyễn Thị Ánh"
    assert value_of(form, "passengers.1.full_name") == "Lê Minh Khôi"
    chosen = re.findall(r'<option value="(\w+)" selected', form)
    assert chosen.count("6B") == 1
    assert form.index('value="6B" selected') < form.index('value="6A" selected')


async def test_nobody_else_sees_it_and_a_booking_ends_it(browser, visit, coach, sql):
    people = path_of(await hold(browser, coach, "5A"))
    left = await to_map(browser, people, (await browser.get(people)).text, **PERSON)
    kept = query_of(where(left))["people"]
    stranger = visit()
    theirs = path_of(await hold(stranger, coach, "7A"))
    form = (await stranger.get(f"{theirs}?people={kept}")).text
    assert "Nguyễn" not in form
    await stranger.post(f"{theirs}?people={kept}", **PERSON)
    assert sql("SELECT count(*) FROM typed_people") == [(1,)]
    again = await take(browser, where(left), "6A")
    made = await browser.post(where(again), **PERSON)
    assert path_of(made).endswith("/review")
    assert sql("SELECT count(*) FROM typed_people") == [(0,)]


async def test_it_is_sealed_and_ends_after_an_hour(browser, coach, services, sql):
    people = path_of(await hold(browser, coach, "5A"))
    left = await to_map(browser, people, (await browser.get(people)).text, **PERSON)
    (row,) = sql("SELECT typed, extract(epoch FROM expires_at - now())::int FROM typed_people")
    assert "Nguyễn".encode() not in bytes(row[0])
    assert 3590 <= row[1] <= 3600
    sql("UPDATE typed_people SET expires_at = now()")
    assert "Nguyễn" not in (await browser.get(f"{people}?people={query_of(where(left))['people']}")).text
    async with services.database.begin() as work:
        await forget_old_typed(work)
    assert sql("SELECT count(*) FROM typed_people") == [(0,)]


async def test_whoever_signs_in_meanwhile_finds_it(browser, coach, services, sql):
    people = path_of(await hold(browser, coach, "5A"))
    left = await to_map(browser, people, (await browser.get(people)).text, **PERSON)
    kept = query_of(where(left))["people"]
    person = await make_person(services.database, services.secrets)
    async with services.database.begin() as work:
        await adopt_guest(work, sql("SELECT id FROM guest_session")[0][0], person.id)
    await sign_in_as(browser.client, person)
    form = (await browser.get(f"{people}?people={kept}")).text
    assert 'value="Nguyễn Thị Ánh"' in form


async def test_the_end_of_the_clock_keeps_it_and_the_map_says_what_was_lost(browser, coach, run_out):
    people = path_of(await hold(browser, coach, "5A"))
    run_out(coach.id)
    shown = await browser.post(people, **PERSON, look="1")
    assert 'value="Nguyễn Thị Ánh"' in shown.text
    assert "The time for seat 5A is over." in read(shown.text).text_of("chosen--lost")
    left = await browser.post(people, **PERSON, map=urlsplit(people).path.split("/")[2])
    page = await browser.get(where(left))
    assert "The time for seat 5A is over." in page.text
    again = await take(browser, where(left), "5A")
    assert 'value="Nguyễn Thị Ánh"' in (await browser.get(where(again))).text


async def test_who_comes_with_a_code_types_no_names_again_but_all_documents(visit, coach, services, sql):
    owner, other = visit(), visit()
    people = await round_trip(owner, coach, ["5A", "5B"], ["6A", "6B"])
    crossed = {"passengers.0.seats.1": "6B", "passengers.1.seats.1": "6A"}
    at = path_of(await owner.post(people, **PERSON, **SECOND, **crossed)).removesuffix("/review")
    await owner.post(at, cancel="1")
    async with services.database.begin() as work:
        token = await open_booking_session(work, UUID(at.rpartition("/")[2]), ttl_seconds=600)
    other.client.cookies.set(BOOKING_COOKIE, token, path=at)
    again = await other.post(f"{at}/again", page=at)
    form = (await other.get(where(again))).text
    assert "The names are those of your booking." in form
    assert value_of(form, "passengers.0.full_name") == "Nguyễn Thị Ánh"
    assert value_of(form, "passengers.1.full_name") == "Lê Minh Khôi"
    assert value_of(form, "contact.email") == PERSON["contact.email"]
    assert value_of(form, "contact.phone") == ""
    for hidden in (PERSON["passengers.0.id_number"], SECOND["passengers.1.id_number"]):
        assert hidden not in form
    assert form.index('value="6B" selected') < form.index('value="6A" selected')
    made = await other.post(where(again), **PERSON, **SECOND)
    assert path_of(made).endswith("/review")
    assert read(form).loose_ends == []
