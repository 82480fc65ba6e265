"""The first page of an operator's console: what was taken, what waits for somebody, and the search for bookings."""

import re
from datetime import timedelta

import pytest
from tests.counting import counted_statements
from tests.payments.test_till_pages import (
    API,
    begun,
    books,
    guest,
    office,
    settings,
    text_of,
    theatre,
)
from tests.staff import make_operator

from farebox.core.ids import first_id_at, new_id
from farebox.payments import make_forgotten_refunds
from farebox.web.console import today as first_page

__all__ = ["books", "guest", "office", "settings", "theatre"]


async def today(clerk):
    answer = await clerk.client.get(clerk.till.removesuffix("/till"))
    assert answer.status_code == 200
    return answer


async def find(clerk, wanted):
    await clerk.client.get("/find")
    form = {"wanted": wanted, "_csrf_token": clerk.client.cookies["farebox_csrf"]}
    return await clerk.client.post(clerk.till.replace("/till", "/find"), data=form)


async def paid_in_cash(clerk, guest, box, **show):
    made = await guest.book(await box.show(**show))
    assert (await clerk.post(f"/bookings/{made['bookingId']}/cash")).status_code == 303
    return made


async def turn_back(database, **interval):
    """What was sold up to now was sold so long ago."""
    ago = timedelta(**interval)
    async with database.begin() as work:
        await work.execute("ALTER TABLE ledger_entry DISABLE TRIGGER USER")
        await work.execute("UPDATE ledger_entry SET at = at - %s", (ago,))
        await work.execute("ALTER TABLE ledger_entry ENABLE TRIGGER USER")
        await work.execute("UPDATE booking SET confirmed_at = confirmed_at - %s", (ago,))


async def test_what_was_taken_today_and_in_seven_days_is_told_by_currency(box, database, guest, office):
    chief = await office("operator_admin")
    assert "Nothing was sold since" in text_of(await today(chief))
    await paid_in_cash(chief, guest, box)
    assert "Today Bookings 1 Sold €13.50 Last 7 days Bookings 1 Sold €13.50" in text_of(await today(chief))
    await turn_back(database, days=1)
    assert "Today Bookings 0 Last 7 days Bookings 1 Sold €13.50" in text_of(await today(chief)).replace(
        " Sold €0.00", ""
    )
    made = await paid_in_cash(chief, guest, box, begins_in=3 * 86_400)
    cancelled = await guest.send("DELETE", f"/bookings/{made['bookingId']}")
    assert cancelled.status_code == 200, cancelled.text
    told = text_of(await today(chief))
    assert "Last 7 days Bookings 2 Sold €27.00 Cancelled and changed -€1" in told
    assert "Today Bookings 1 Sold €13.50 Cancelled and changed -€1" in told
    await turn_back(database, days=7)
    assert "Nothing was sold since" in text_of(await today(chief))


async def test_what_others_sold_is_not_told(box, database, secrets, guest, office):
    other = await make_operator(database, secrets, "other")
    chief, stranger = await office("operator_admin"), await office("operator_admin", of=other)
    made = await paid_in_cash(chief, guest, box)
    at_home = stranger.till.replace(str(chief.till.split("/")[2]), str(other.id))
    page = await stranger.client.get(at_home.removesuffix("/till"))
    assert (page.status_code, "€" in text_of(page), "Nothing was sold since" in text_of(page)) == (200, False, True)
    assert "Nothing: all is done." in text_of(page)
    stranger.till = at_home
    for wanted in (made["bookingReference"], "an.nguyen@example.com", "0912 345 678"):
        assert (await find(stranger, wanted)).status_code == 404


async def test_each_sees_what_they_may(box, guest, office):
    chief, clerk, driver = [await office(role) for role in ("operator_admin", "agent", "driver")]
    await begun(guest, await box.show())
    for who, sees in ((chief, (True, True, True)), (clerk, (False, True, True)), (driver, (False, False, False))):
        told = text_of(await today(who))
        assert ("Last 7 days" in told, "Transfers expected" in told, "Find a booking" in told) == sees
        assert "Departures of today" in told
    assert (await find(driver, "an.nguyen@example.com")).status_code == 403


async def test_what_waits_for_somebody_is_counted_and_leads_to_its_list(box, database, client, services, guest, office):
    chief, clerk = await office("operator_admin"), await office("agent")
    assert "Nothing: all is done." in text_of(await today(chief))
    await begun(guest, await box.show())
    made, payment = await begun(guest, await box.show(), "sandbox")
    door = f"{API}/payments/sandbox/{payment['paymentId']}"
    for outcome in ("twice", "refund-failed"):
        await client.post(door, json={"outcome": outcome})
        await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    disputed, payment = await begun(guest, await box.show(), "sandbox")
    for outcome in ("succeeded", "dispute"):
        await client.post(f"{API}/payments/sandbox/{payment['paymentId']}", json={"outcome": outcome})
    stuck, payment = await begun(guest, await box.show(), "sandbox")
    async with database.begin() as work:
        await work.execute(
            "UPDATE payment SET status = 'processing', next_check_at = now(), created_at = created_at - interval '2 h'"
            " WHERE id = %s",
            (payment["paymentId"],),
        )
    page = await today(chief)
    tasks = re.findall(r'<a href="[^"]+/till#(\w+)"><b>(\d+)</b>', page.text)
    assert tasks == [("refunds", "1"), ("disputes", "1"), ("look", "1"), ("transfers", "1")]
    listed = await chief.get()
    for anchor, _ in tasks:
        assert f'id="{anchor}"' in listed.text
    told = text_of(listed)
    assert re.search(rf"Disputed by the payer's bank 1 .*{disputed['bookingReference']} €13.50 Test payment", told)
    assert re.search(rf"{stuck['bookingReference']} Its provider has not told the end €13.50 Test payment", told)
    assert made["bookingReference"] in told
    assert re.findall(r"/till#(\w+)", (await today(clerk)).text) == ["transfers"]  # the rest is not the box office's
    assert "Disputed" not in text_of(await clerk.get())


async def test_a_message_that_could_not_be_handled_needs_a_look(box, database, guest, office):
    chief = await office("operator_admin")
    made, payment = await begun(guest, await box.show(), "sandbox")
    async with database.begin() as work:
        await work.execute(
            "INSERT INTO payment_event (id, provider, external_id, payment_id, event, body, received_at, attempts,"
            " next_attempt_at) VALUES (%s, 'sandbox', 'evt_1', %s, '{}', '', now(), 1, now() + interval '1 day')",
            (new_id(), payment["paymentId"]),
        )
    assert re.findall(r"/till#(\w+)", (await today(chief)).text) == ["look"]
    assert f"{made['bookingReference']} A message about it could not be handled" in text_of(await chief.get())


async def test_a_booking_is_found_by_its_reference_or_its_contact(box, database, guest, office):
    clerk = await office("agent")
    made = await guest.book(await box.show())
    at = f"{clerk.till}/bookings/{made['bookingId']}"
    for wanted in (made["bookingReference"].lower(), " AN.Nguyen@example.com ", "+84 912 345 678", "0912345678"):
        assert (await find(clerk, wanted)).headers["location"].endswith(at)
    again = await guest.book(await box.show())
    several = await find(clerk, "an.nguyen@example.com")
    assert several.status_code == 200
    assert re.findall(r'class="reference" href="([^"]+)"', several.text) == [
        f"{clerk.till}/bookings/{each['bookingId']}" for each in (again, made)
    ]
    seen = "SELECT count(*) FROM personal_audit WHERE action = 'list'"
    async with database.begin(reach="*") as work:
        assert await (await work.execute(seen)).fetchone() == (2 + 3,)  # whom the clerk saw is written down


async def test_a_search_says_that_there_are_more_than_it_lists(box, guest, office, monkeypatch):
    monkeypatch.setattr(first_page, "MOST_FOUND", 2)
    clerk = await office("agent")
    for _ in range(2):
        await guest.book(await box.show())
    assert "2 bookings, the newest first" in text_of(await find(clerk, "an.nguyen@example.com"))
    newest = await guest.book(await box.show())
    found = await find(clerk, "an.nguyen@example.com")
    assert "The newest 2 bookings. There are more:" in text_of(found)
    listed = re.findall(r'class="reference" href="([^"]+)"', found.text)
    assert (len(listed), listed[0].endswith(newest["bookingId"])) == (2, True)


@pytest.mark.parametrize("wanted", ["nobody@example.com", "0912 000 000", "BUS1", "", "@"])
async def test_what_is_not_found_is_said_beside_what_was_typed(office, wanted):
    answer = await find(await office("agent"), wanted)
    assert answer.status_code == 404
    assert f'value="{wanted}"' in answer.text
    assert 'aria-invalid="true"' in answer.text


async def test_much_is_asked_for_as_little_as_that(box, database, client, services, guest, office):
    chief = await office("operator_admin")
    counts = []
    for more in (1, 19):
        for _ in range(more):
            await paid_in_cash(chief, guest, box)
            await begun(guest, await box.show())
        await today(chief)
        with counted_statements() as statements:
            await today(chief)
        counts.append(len(statements))
        with counted_statements() as statements:
            assert (await find(chief, "an.nguyen@example.com")).status_code == 200
        counts.append(len(statements))
    assert counts[:2] == counts[2:]
    assert counts[0] <= 14


async def test_takings_are_read_from_an_index_and_not_from_all_that_was_ever_sold(database, office, box, guest):
    chief = await office("operator_admin")
    with counted_statements() as statements:
        await today(chief)
    [takings] = [each for each in statements if "FROM ledger_entry" in each]
    assert "ledger_entry.transaction_id >=" in takings
    [bookings] = [each for each in statements if "FROM booking " in each and "confirmed_at >=" in each]
    assert "booking.id >=" in bookings


def test_ids_begin_where_their_time_does(database):
    before = database.clock()
    made = new_id()
    assert first_id_at(before - timedelta(seconds=1)) < made < first_id_at(before + timedelta(days=1))
    assert first_id_at(before).version == 7
