"""The back office's till, over HTTP: cash, transfers that are noted, refunds by hand and again, one booking's money."""

import re
from html import unescape
from uuid import UUID

import httpx
import pytest
from msgspec import structs
from tests.apps import app_of
from tests.bookings.shows import scalar
from tests.bookings.test_api import Guest
from tests.counting import counted_statements
from tests.people import sign_in_as
from tests.staff import PROVED, make_operator

from farebox.accounts import SYSTEM
from farebox.bookings import expire_booking, get_booking
from farebox.payments import issue_invoices, make_forgotten_refunds, verify_ledger
from farebox.payments.winding_up import wind_up
from farebox.web.shop.moneys import money_of

API = "/api/v1"


@pytest.fixture
def settings(settings):
    return structs.replace(
        settings, bank_name="Small Theatre", bank_iban="DE89370400440532013000", bank_transfer_hours=6
    )


@pytest.fixture(autouse=True)
def books(database):
    """Whatever a test does, the ledger is right afterwards."""
    yield
    assert [str(verdict) for verdict in verify_ledger(database.direct_dsn) if verdict.broken] == []


@pytest.fixture
async def guest(client, box):
    return Guest(client, box, *(await box.guest_with_token()))


@pytest.fixture
async def theatre(database, secrets):
    return await make_operator(database, secrets, "theatre")


class Clerk:
    """Somebody of a staff in a browser without scripts."""

    def __init__(self, client, theatre):
        self.client, self.till = client, f"/console/{theatre.id}/till"

    async def get(self, path=""):
        return await self.client.get(self.till + path)

    async def post(self, path, **form):
        await self.client.get("/find")
        data = form | {"_csrf_token": self.client.cookies["farebox_csrf"]}
        return await self.client.post(self.till + path, data=data)

    async def money(self, made):
        return await self.get(f"/bookings/{made['bookingId']}")


@pytest.fixture
async def office(services, theatre):
    """Opens the till for somebody new with a role, of this theatre or of another operator."""
    opened = []

    async def open_for(role, *, of=None, email="", **columns):
        transport = httpx.ASGITransport(app_of(services))
        opened.append(httpx.AsyncClient(transport=transport, base_url="http://farebox.example"))
        person = await (of or theatre).hire(role, email=email)
        await sign_in_as(opened[-1], person, **({"proved": PROVED} | columns))
        return Clerk(opened[-1], theatre)

    yield open_for
    for client in opened:
        await client.aclose()


def text_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def links(answer, end):
    return [path.split("/till")[1] for path in re.findall(rf'href="([^"]+/{end})"', answer.text)]


async def begun(guest, show, method="bank-transfer"):
    made = await guest.book(show)
    answer = await guest.send("POST", "/payments/create", {"bookingId": made["bookingId"], "method": method})
    assert answer.status_code == 201, answer.text
    return made, answer.json()


async def state(guest, made):
    return (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"]


async def test_a_booking_is_found_by_its_reference_and_paid_in_cash_once(box, database, services, guest, office):
    clerk = await office("agent")
    made = await guest.book(await box.show())
    wrong = await clerk.post("/find", reference="BUS20261120AAAAAAB")
    assert (wrong.status_code, "BUS20261120AAAAAAB" in wrong.text) == (404, True)
    found = await clerk.post("/find", reference=made["bookingReference"].lower())
    assert found.headers["location"].endswith(f"/till/bookings/{made['bookingId']}")
    page = await clerk.money(made)
    assert "Take €13.50 in cash" in text_of(page)
    assert "In the books" not in text_of(page)  # that is for who sees reports
    for status in (303, 409):
        answer = await clerk.post(f"/bookings/{made['bookingId']}/cash")
        assert answer.status_code == status
    assert await state(guest, made) == "confirmed"
    assert await scalar(database, "SELECT count(*) FROM payment_charge") == 1
    told = text_of(await clerk.get())
    assert "You €13.50 (1) €0.00 (0) €13.50" in told
    assert "No cash was taken or paid out on this day." in text_of(await clerk.get("?day=2026-01-01"))
    other = await office("agent", email="other@theatre.example")
    assert "An Nguyễn €13.50 (1)" in text_of(await other.get())


async def test_transfers_that_are_expected_are_listed_and_noted(box, database, guest, office):
    chief = await office("operator_admin")
    made, payment = await begun(guest, await box.show())
    assert re.search(rf"{made['bookingReference']} €13.50 .*Open", text_of(await chief.get()))
    [note] = links(await chief.money(made), "received")
    asked = await chief.get(note)
    assert 'value="13.50"' in asked.text
    wrong = await chief.post(note, amount="13.50", reference=" ")
    assert (wrong.status_code, 'value="13.50"' in wrong.text) == (422, True)
    assert (await chief.post(note, amount="10", reference="FT1")).status_code == 303
    assert "€3.50" in text_of(await chief.get())
    assert (await chief.post(note, amount="3.50", reference="FT2")).status_code == 303
    assert await state(guest, made) == "confirmed"
    assert "None is expected." in text_of(await chief.get())
    again, other = await begun(guest, await box.show())
    [note] = links(await chief.money(again), "received")
    refused = await chief.post(note, amount="13.50", reference="FT1")
    assert (refused.status_code, "is noted already" in text_of(refused)) == (422, True)
    assert await scalar(database, "SELECT actor FROM payment WHERE id = %s", other["paymentId"]) is None
    assert await state(guest, again) == "payment_processing"
    assert payment["paymentId"] != other["paymentId"]


async def test_of_a_transfer_that_came_in_part_the_part_is_told_once_it_goes_back(
    box, database, services, guest, office
):
    chief = await office("operator_admin")
    made, _ = await begun(guest, await box.show())
    assert re.search(r"Bank transfer [^€]*€13.50 On its way", text_of(await chief.money(made)))
    [note] = links(await chief.money(made), "received")
    await chief.post(note, amount="10", reference="FT1")
    booking_id = UUID(made["bookingId"])
    async with database.begin() as work:
        await expire_booking(work, booking_id)
    async with database.begin() as work:
        await wind_up(work, booking_id)
        told = await money_of(work, await get_booking(work, booking_id, actor=SYSTEM), SYSTEM, services.providers)
    assert [(line.label.split(",")[0], str(line.amount.amount)) for line in told] == [
        ("Bank transfer", "10.00"),
        ("The rest was not paid in time", "10.00"),
    ]
    assert re.search(r"Bank transfer [^€]*€10.00 Paid", text_of(await chief.money(made)))


async def test_what_came_twice_is_paid_out_by_hand_by_who_may_give_money_back(box, database, guest, office):
    chief, clerk = await office("operator_admin"), await office("agent")
    made, _ = await begun(guest, await box.show())
    [note] = links(await chief.money(made), "received")
    assert links(await clerk.money(made), "received") == []
    assert (await clerk.get(note)).status_code == 403
    for reference in ("FT1", "FT2"):
        assert (await chief.post(note, amount="13.50", reference=reference)).status_code == 303
    assert "To be paid out by hand" not in text_of(await clerk.get())
    page = await chief.get()
    assert f"{made['bookingReference']} €13.50 It was paid twice Bank transfer" in text_of(page)
    [paid] = links(page, "paid")
    assert (await clerk.get(paid)).status_code == 403
    tired = await office(
        "operator_admin", email="tired@theatre.example", proved_at=box.database.clock().replace(year=2025)
    )
    led = await tired.get(paid)
    assert led.headers["location"].startswith("/account/confirm?next=")
    assert "Note €13.50 as paid out" in text_of(await chief.get(paid))
    assert (await chief.post(paid, reference="")).status_code == 422
    assert (await chief.post(paid, reference="slip 7")).status_code == 303
    assert (await chief.get(paid)).status_code == 404  # it is paid out
    assert "Nothing is owed." in text_of(await chief.get())
    assert await scalar(database, "SELECT external_id FROM refund") == "slip 7"
    assert await state(guest, made) == "confirmed"


async def test_a_refund_that_its_provider_refused_is_made_again_or_leaves_the_till(
    box, database, client, services, guest, office
):
    chief = await office("operator_admin")
    made, payment = await begun(guest, await box.show(), "sandbox")
    door = f"{API}/payments/sandbox/{payment['paymentId']}"
    for outcome in ("twice", "refund-failed"):
        await client.post(door, json={"outcome": outcome})
        await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    page = await chief.money(made)
    assert "Refused by the provider" in text_of(page)
    [again] = links(page, "again")
    asked = await chief.get(again)
    assert "Into the traveller's wallet" not in text_of(asked)  # a guest has none
    assert (await chief.post(again, to="wallet")).status_code == 422
    assert (await chief.post(again, to="origin")).status_code == 303
    assert (await chief.get(again)).status_code == 404
    assert "Made again another way" in text_of(await chief.money(made))
    await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    await client.post(door, json={"outcome": "refund-failed"})
    [paid] = links(await chief.get(), "paid")
    assert (await chief.post(paid, reference="slip 1")).status_code == 303
    told = text_of(await chief.get())
    assert "You €0.00 (0) €13.50 (1) -€13.50" in told  # it left the till


async def test_all_money_of_a_booking_is_on_one_page(box, database, secrets, guest, office):
    chief = await office("operator_admin")
    made = await guest.book(await box.show())
    await chief.post(f"/bookings/{made['bookingId']}/cash")
    async with database.begin(reach="*") as work:
        await issue_invoices(work, made["bookingId"], secrets=secrets)
    told = text_of(await chief.money(made))
    for said in (
        "Confirmed",
        "Cash",
        "€13.50",
        "Invoice INV-",
        "Owed by the booking",
        "Sales of the operator",
        "Held: Cash",
    ):
        assert said in told, said


async def test_another_operators_till_is_not_there_and_neither_are_its_bookings(
    box, database, secrets, guest, office, theatre
):
    rival = await make_operator(database, secrets, "rival")
    stranger = await office("operator_admin", of=rival)
    chief = await office("operator_admin")
    made, _ = await begun(guest, await box.show())
    [note] = links(await chief.money(made), "received")
    for reference in ("FT1", "FT2"):
        await chief.post(note, amount="13.50", reference=reference)
    [paid] = links(await chief.get(), "paid")
    waiting, _ = await begun(guest, await box.show())
    cash = f"/bookings/{waiting['bookingId']}/cash"
    attempts = [(cash, {}), (note, {"amount": "1", "reference": "evil"}), (paid, {"reference": "evil"})]
    for till in (stranger.till, f"/console/{rival.id}/till"):  # under the theatre's address, and under one's own
        stranger.till = till
        for path in (f"/bookings/{made['bookingId']}", note, paid, paid.replace("paid", "again")):
            assert (await stranger.get(path)).status_code == 404, path
        for path, form in attempts:
            assert (await stranger.post(path, **form)).status_code == 404, path
        assert (await stranger.post("/find", reference=made["bookingReference"])).status_code == 404
    own = await stranger.get()
    assert made["bookingReference"] not in own.text
    assert "None is expected." in text_of(own)
    driver = await office("driver")
    assert (await driver.get()).status_code == 403
    nobody = Clerk(
        chief.client.__class__(transport=chief.client._transport, base_url="http://farebox.example"), theatre
    )
    assert (await nobody.get()).headers["location"].startswith("/sign-in")
    assert await scalar(database, "SELECT status FROM refund") == "pending"
    assert await state(guest, waiting) == "payment_processing"


async def test_the_till_asks_as_much_for_five_of_each_as_for_one(box, database, guest, office):
    chief = await office("operator_admin")
    counts = []
    for number, times in enumerate((1, 4)):
        for index in range(times):
            made, _ = await begun(guest, await box.show())
            await begun(guest, await box.show())
            [note] = links(await chief.money(made), "received")
            for reference in ("A", "B"):
                await chief.post(note, amount="13.50", reference=f"FT{number}{index}{reference}")
            sold = await guest.book(await box.show())
            await chief.post(f"/bookings/{sold['bookingId']}/cash")
        with counted_statements() as statements:
            assert (await chief.get()).status_code == 200
        counts.append(len(statements))
    assert counts[0] == counts[1]
