"""Somebody who has booked a thousand times: the lists are right, and ask no more of the database than those of one."""

import pytest
from benchmarks.listing import LISTS, copy_bookings
from tests.bookings.shows import person
from tests.bookings.test_listing import Reader
from tests.counting import counted_statements
from tests.people import make_person, open_session_of

OFTEN = 1_000


@pytest.fixture
async def reader(client, box, database, secrets):
    who = await make_person(database, secrets)
    return Reader(client, box, who, (await open_session_of(who)).token)


async def read(reader, path):
    """The answer, and how many statements it cost."""
    with counted_statements() as statements:
        answer = await reader.client.get(path, headers=reader.headers)
    assert answer.status_code == 200, answer.text
    return answer, len(statements)


async def test_a_thousand_cost_as_many_statements_as_one_on_every_list(reader, database):
    _, booking = await reader.book(confirmed=True, begins_in=9 * 86_400)
    for path in LISTS.values():
        await read(reader, path)  # the first of a process asks for more
    before = {path: (await read(reader, path))[1] for path in LISTS.values()}
    async with database.begin() as work:
        await copy_bookings(work, [booking.id], owner=reader.actor.owner, times=OFTEN - 1)
    after = {path: (await read(reader, path))[1] for path in LISTS.values()}
    assert after == before
    assert max(after.values()) == after.pop("/account") <= 21  # an overview of bookings, tickets and money
    assert max(after.values()) <= 12


async def test_the_pages_of_a_thousand_hold_each_of_them_once(reader, database):
    _, booking = await reader.book(confirmed=True, begins_in=9 * 86_400, name="Trần Thị Đào")
    async with database.begin() as work:
        await copy_bookings(work, [booking.id], owner=reader.actor.owner, times=OFTEN - 1)
    pages = [await reader.ask(f"limit=100&offset={offset}") for offset in range(0, OFTEN, 100)]
    found = [each["bookingId"] for page in pages for each in page["items"]]
    assert {page["total"] for page in pages} == {OFTEN}
    assert (len(found), len(set(found))) == (OFTEN, OFTEN)
    assert found[0] == str(booking.id)
    for query, total in (("q=dao", OFTEN), ("q=nobody", 0), ("status=upcoming", OFTEN), ("status=completed", 0)):
        assert (await reader.ask(f"{query}&limit=1"))["total"] == total
        assert (await reader.ask(f"{query}&limit=1&offset={OFTEN}"))["total"] == total
    everybody = {each["fullName"] for each in pages[-1]["items"][0]["items"][0]["passengers"]}
    assert everybody == {person("A1", full_name="Trần Thị Đào").full_name}
