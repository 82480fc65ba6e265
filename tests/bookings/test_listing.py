"""Lists of bookings through HTTP: filters, search, order, pages, and how much they ask of the database."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.bookings.shows import HERE, person
from tests.counting import counted_statements
from tests.people import make_person, open_session_of
from tests.staff import bearer, make_operator, token_of

from farebox.accounts import SYSTEM
from farebox.bookings import confirm_booking, summarise_bookings
from farebox.core.money import Money
from farebox.payments import cancel_booking

API = "/api/v1"
DAY = 86_400


class Reader:
    """Somebody signed in who books and lists."""

    def __init__(self, client, box, who, token):
        self.client, self.box, self.person, self.actor = client, box, who, who.actor
        self.headers = bearer(token)

    async def book(self, *, confirmed=False, name="Nguyễn Văn An", **show):
        programme = await self.box.show(**show)
        hold = await self.box.hold(self.actor, programme)
        booking = await self.box.book(self.actor, hold, passengers=[person("A1", full_name=name)])
        if confirmed:
            async with self.box.database.begin() as work:
                await confirm_booking(work, booking.id, actor=SYSTEM)
        return str(booking.id), booking

    async def ask(self, query="", path="/bookings"):
        answer = await self.client.get(f"{API}{path}?{query}", headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def ids(self, query="", path="/bookings"):
        return [each["bookingId"] for each in (await self.ask(query, path))["items"]]


@pytest.fixture
async def reader(client, box, database, secrets):
    who = await make_person(database, secrets)
    return Reader(client, box, who, (await open_session_of(who)).token)


async def test_they_are_sorted_as_wanted_and_both_ways(reader):
    late, one = await reader.book(begins_in=9 * DAY)
    soon, two = await reader.book(begins_in=3 * DAY, confirmed=True)
    later, three = await reader.book(begins_in=5 * DAY)
    assert await reader.ids() == [later, soon, late]
    assert await reader.ids("sort=created") == [late, soon, later]
    assert await reader.ids("sort=departure") == [soon, later, late]
    assert await reader.ids("sort=-departure") == [late, later, soon]
    assert await reader.ids("sort=status") == [soon, late, later]
    assert await reader.ids("sort=-status") == [later, late, soon]
    by_reference = [str(each.id) for each in sorted((one, two, three), key=lambda each: each.reference)]
    assert await reader.ids("sort=reference") == by_reference
    assert await reader.ids("sort=-reference") == by_reference[::-1]
    answer = await reader.client.get(f"{API}/bookings?sort=price", headers=reader.headers)
    assert answer.status_code == 400


async def test_pages_follow_each_other_without_gaps_where_all_are_alike(reader):
    made = [(await reader.book(confirmed=True))[0] for _ in range(5)]
    for sort in ("status", "-status"):
        pages = [await reader.ids(f"sort={sort}&limit=2&offset={offset}") for offset in (0, 2, 4)]
        found = [each for page in pages for each in page]
        assert found == (made if sort == "status" else made[::-1])
    assert (await reader.ask("limit=2"))["total"] == 5


async def test_they_are_found_by_reference_passenger_and_place(reader):
    one, booking = await reader.book(name="Trần Thị Đào")
    two, _ = await reader.book(name="Lê Bình")
    reference = booking.reference
    for typed in (reference, reference.lower(), f"{reference[:3]}-{reference[3:]}", reference[-7:]):
        assert await reader.ids(f"q={typed}") == [one]
    assert await reader.ids("q=thi dao") == [one]
    assert await reader.ids("q=Bình") == [two]
    assert await reader.ids("q=hue") == [two, one]
    assert await reader.ids("q=main hall&status=pending") == [two, one]
    for nothing in ("q=Hải Phòng", "q=%25", "q=..."):
        assert await reader.ids(nothing) == []


async def test_staff_find_others_bookings_by_reference_and_not_by_name(reader, client, box, database, secrets):
    one, booking = await reader.book(name="Trần Thị Đào")
    theatre = await make_operator(database, secrets, "theatre")
    agent = await theatre.hire("agent")
    staff = Reader(client, box, agent, await token_of(agent))
    assert await staff.ids(f"q={booking.reference}") == [one]
    assert await staff.ids("q=thi dao") == []


async def test_they_are_found_by_the_days_on_which_they_begin_where_they_do(reader):
    soon, later = (datetime.now(UTC).replace(microsecond=0) + timedelta(days=days) for days in (3, 6))
    one, _ = await reader.book(begins=soon)
    two, _ = await reader.book(begins=later)
    first, second = soon.astimezone(HERE).date(), later.astimezone(HERE).date()
    after = first + timedelta(days=1)
    assert await reader.ids(f"from={first}&to={first}") == [one]
    assert await reader.ids(f"from={after}") == [two]
    assert await reader.ids(f"to={after}") == [one]
    assert await reader.ids(f"from={first}&to={second}") == [two, one]
    answer = await reader.client.get(f"{API}/bookings?from=tomorrow", headers=reader.headers)
    assert answer.status_code == 400


async def test_a_persons_bookings_are_for_that_person_and_for_the_operators_staff(
    reader, client, box, database, secrets
):
    one, _ = await reader.book()
    path = f"/users/{reader.person.id}/bookings"
    assert await reader.ids("status=pending", path) == [one]
    theatre, opera = [await make_operator(database, secrets, code) for code in ("theatre", "opera")]
    agent = await theatre.hire("agent")
    staff = Reader(client, box, agent, await token_of(agent))
    assert await staff.ids("", path) == [one]
    assert await staff.ids("status=completed", path) == []
    rival = await opera.hire("agent")
    stranger = await make_person(database, secrets, email="other@example.com")
    _, guest = await box.guest_with_token()
    for token in (await token_of(rival), (await open_session_of(stranger)).token, guest):
        answer = await client.get(API + path, headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (404, "person-not-found")
    assert (await client.get(API + path)).status_code == 401


@pytest.mark.parametrize("query", ["", "q=an&from=2020-01-01&sort=departure"])
async def test_twenty_cost_as_many_statements_as_one(reader, query):
    await reader.book()
    await reader.ask(query)  # the first of a process asks for more
    counts = []
    for _ in range(2):
        with counted_statements() as statements:
            listed = await reader.ask(query)
        counts.append((len(listed["items"]), len(statements)))
        for _ in range(19):
            await reader.book()
    assert [rows for rows, _ in counts] == [1, 20]
    assert counts[0][1] == counts[1][1] <= 12  # of which three ask for money, in one round trip


async def test_a_summary_counts_what_lists_show_and_what_was_spent(reader, box, database):
    await reader.book(begins_in=3 * DAY, confirmed=True)
    await reader.book(begins_in=3 * DAY, confirmed=True, currency="VND", price=200_000, fee=0)
    await reader.book()
    _, kept = await reader.book(begins_in=3 * DAY, confirmed=True, tiers=((1000, 5_000),))
    _, gone = await reader.book()
    async with database.begin() as work:
        for booking in (kept, gone):
            await work.execute("DELETE FROM payment_charge")
            await cancel_booking(work, booking.id, actor=reader.actor)
    async with database.begin() as work:
        summary = await summarise_bookings(work, actor=reader.actor)
    assert (summary.made, summary.upcoming, summary.pending, summary.completed, summary.cancelled) == (5, 3, 1, 0, 2)
    assert (summary.bookings, summary.trips) == (2, 2)
    assert summary.spent == (Money(1_350 + 1_350, "EUR"), Money(200_000, "VND"))
