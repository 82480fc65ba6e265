"""The counter, through HTTP: cash, transfers that the staff note, and money that is paid out by hand."""

import asyncio
from typing import Any

import pytest
from msgspec import structs
from tests.bookings.shows import scalar
from tests.bookings.test_api import Guest, problem_of
from tests.staff import bearer, make_operator, token_of

from farebox.payments import make_forgotten_refunds, verify_ledger

API = "/api/v1"
PRICE = {"amount": "13.50", "currency": "EUR"}


@pytest.fixture
def settings(settings):
    """Of a shop with an account for euro; seats wait six hours for a transfer."""
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
    """Somebody of a staff, who asks the API."""

    def __init__(self, client: Any, token: str) -> None:
        self.client, self.headers = client, bearer(token)

    async def send(self, method: str, path: str, json: Any = None) -> Any:
        return await self.client.request(method, API + path, json=json, headers=self.headers)

    async def note(self, payment: Any, amount: str = "13.50", reference: str = "FT1", currency: str = "EUR") -> Any:
        body = {"amount": {"amount": amount, "currency": currency}, "reference": reference}
        return await self.send("POST", f"/payments/{payment['paymentId']}/received", body)

    async def owed(self) -> Any:
        return (await self.send("GET", "/payments/refunds/by-hand")).json()["items"]

    async def pay_out(self, refund: Any, reference: str = "slip 1") -> Any:
        return await self.send("POST", f"/payments/refunds/{refund['refundId']}/paid", {"reference": reference})


@pytest.fixture
async def clerk(client, theatre):
    return Clerk(client, await token_of(await theatre.hire("agent")))


@pytest.fixture
async def chief(client, theatre):
    return Clerk(client, await token_of(await theatre.hire("operator_admin")))


async def begun(guest, show, method="bank-transfer", units=(0,)):
    made = await guest.book(show, units)
    answer = await guest.send("POST", "/payments/create", {"bookingId": made["bookingId"], "method": method})
    assert answer.status_code == 201, answer.text
    return made, answer.json()


async def state(guest, made):
    return (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"]


async def ledger(database):
    async with database.begin() as work:
        cursor = await work.execute("SELECT account, sum(amount_minor)::int FROM ledger_entry GROUP BY account")
        return {account.split(":sales")[0]: minor for account, minor in await cursor.fetchall() if minor}


# --- transfers


async def test_a_transfer_that_the_staff_note_confirms_the_booking_once(box, database, client, guest, chief):
    made, payment = await begun(guest, await box.show())
    waits = await scalar(database, "SELECT extract(epoch FROM expires_at - now())::int FROM booking")
    assert 6 * 3600 - 120 < waits <= 6 * 3600
    for _ in range(2):
        answer = await chief.note(payment)
        assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert await state(guest, made) == "confirmed"
    assert await scalar(database, "SELECT count(*) FROM ticket") == 1
    assert await scalar(database, "SELECT array_agg(external_id) FROM payment_charge") == ["FT1"]
    assert (await ledger(database))["clearing:bank"] == 1350
    kept = bytes(await scalar(database, "SELECT body FROM payment_event")).decode()
    assert "FT1" in kept
    assert "user:" in kept


async def test_the_page_says_where_the_money_goes_and_what_is_still_to_come(box, client, guest, chief):
    made, payment = await begun(guest, await box.show())
    assert payment["checkoutUrl"] == f"http://127.0.0.1:8000/pay/bank/{payment['paymentId']}"
    page = f"/pay/bank/{payment['paymentId']}"
    first = (await client.get(page, headers=guest.headers)).text
    for said in ("DE89 3704 0044 0532 0130 00", "Small Theatre", made["bookingReference"], "€13.50", "<svg"):
        assert said in first
    await chief.note(payment, "10.00")
    assert "€3.50" in (await client.get(page, headers=guest.headers)).text
    await chief.note(payment, "3.50", "FT2")
    last = (await client.get(page, headers=guest.headers)).text
    assert "There is nothing to transfer" in last
    assert "DE89" not in last
    assert (await client.get(page)).status_code == 403


async def test_the_page_is_for_those_who_reach_the_booking(box, client, guest):
    _, payment = await begun(guest, await box.show())
    _, other = await begun(guest, await box.show(), "sandbox")
    stranger = Guest(client, box, *(await box.guest_with_token()))
    assert (await client.get(f"/pay/bank/{payment['paymentId']}", headers=stranger.headers)).status_code == 404
    assert (await client.get(f"/pay/bank/{other['paymentId']}", headers=guest.headers)).status_code == 404


async def test_a_transfer_in_parts_is_kept_until_the_rest_has_come(box, database, guest, chief):
    made, payment = await begun(guest, await box.show())
    assert (await chief.note(payment, "10.00")).status_code == 200
    assert await state(guest, made) == "payment_processing"
    assert (await chief.note(payment, "3.50", "FT2")).status_code == 200
    assert await state(guest, made) == "confirmed"
    assert (await ledger(database))["clearing:bank"] == 1350


async def test_one_transfer_is_not_noted_for_two_payments_nor_in_two_amounts(box, database, guest, chief):
    _, first = await begun(guest, await box.show())
    made, second = await begun(guest, await box.show())
    assert (await chief.note(first)).status_code == 200
    assert problem_of(await chief.note(second, reference=" ft1"), 409)["code"] == "reference-used"
    assert problem_of(await chief.note(first, "13.49"), 409)["code"] == "reference-used"
    assert await state(guest, made) == "payment_processing"
    assert await scalar(database, "SELECT count(*) FROM payment_charge") == 1


async def test_two_clerks_who_note_one_transfer_for_two_payments_at_once_note_it_once(box, database, guest, chief):
    payments = [(await begun(guest, await box.show()))[1] for _ in range(2)]
    answers = await asyncio.gather(*(chief.note(payment) for payment in payments))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    assert await scalar(database, "SELECT count(*) FROM payment_charge") == 1


async def test_two_clerks_who_note_the_same_at_once_note_it_once(box, database, guest, chief):
    made, payment = await begun(guest, await box.show())
    answers = await asyncio.gather(*(chief.note(payment) for _ in range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert await scalar(database, "SELECT count(*) FROM payment_charge") == 1
    assert await state(guest, made) == "confirmed"


async def test_a_transfer_that_came_too_late_is_paid_out_by_hand(box, database, services, guest, chief):
    show = await box.show()
    made, payment = await begun(guest, show)
    async with database.begin() as work:
        booking_id = made["bookingId"]
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 second' WHERE id = %s", (booking_id,))
        await work.execute("UPDATE hold SET expires_at = now() - interval '1 second'")
        await work.execute("UPDATE claim SET expires_at = now() - interval '1 second'")
    other = await box.guest()
    await box.hold(other, show)
    assert (await chief.note(payment)).status_code == 200
    assert await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0) == 0
    [refund] = await chief.owed()
    assert (refund["status"], refund["reason"], refund["cameBy"]) == ("waiting", "late", "bank")
    assert (refund["amount"], refund["bookingReference"]) == (PRICE, made["bookingReference"])
    for _ in range(2):
        answer = await chief.pay_out(refund)
        assert (answer.status_code, answer.json()["status"]) == (200, "paid")
    assert await chief.owed() == []
    assert await state(guest, made) == "refunded"
    assert await ledger(database) == {}
    assert await scalar(database, "SELECT external_id FROM refund") == "slip 1"


async def test_what_a_provider_will_not_give_back_leaves_the_till(box, database, client, services, guest, chief):
    _, payment = await begun(guest, await box.show(), "sandbox")
    door = f"{API}/payments/sandbox/{payment['paymentId']}"
    await client.post(door, json={"outcome": "twice"})
    assert await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0) == 1
    assert await chief.owed() == []  # its provider has made it
    await client.post(door, json={"outcome": "refund-failed"})
    [refund] = await chief.owed()
    assert (refund["status"], refund["cameBy"]) == ("refused", "sandbox")
    assert (await chief.pay_out(refund)).json()["status"] == "paid"
    found = await ledger(database)
    assert (found["clearing:cash"], found["clearing:sandbox"]) == (-1350, 2700)
    assert found.get("refunds-due", 0) == 0


# --- cash


async def test_cash_at_the_counter_confirms_at_once(box, database, guest, clerk):
    made = await guest.book(await box.show())
    offered = f"/payments/methods?bookingId={made['bookingId']}"
    codes = [each["method"] for each in (await clerk.send("GET", offered)).json()["items"]]
    assert codes == ["bank-transfer", "sandbox", "cash"]
    assert "cash" not in [each["method"] for each in (await guest.send("GET", offered)).json()["items"]]
    body = {"bookingId": made["bookingId"], "method": "cash"}
    taken = await clerk.send("POST", "/payments/create", body)
    assert (taken.status_code, taken.json()["status"], taken.json()["amount"]) == (201, "completed", PRICE)
    assert await state(guest, made) == "confirmed"
    assert (await ledger(database))["clearing:cash"] == 1350
    assert str(await scalar(database, "SELECT actor FROM payment")).startswith("user:")
    assert problem_of(await clerk.send("POST", "/payments/create", body), 409)["code"] == "not-payable"


async def test_cash_after_another_way_was_begun_is_the_one_that_counts(box, database, guest, clerk):
    made, payment = await begun(guest, await box.show(), "sandbox")
    body = {"bookingId": made["bookingId"], "method": "cash"}
    assert (await clerk.send("POST", "/payments/create", body)).status_code == 201
    superseded = "SELECT superseded_at IS NOT NULL FROM payment WHERE id = %s"
    assert await scalar(database, superseded, payment["paymentId"])


async def test_cash_is_taken_by_the_staff_of_the_operator_alone(box, client, database, secrets, guest, theatre):
    made = await guest.book(await box.show())
    body = {"bookingId": made["bookingId"], "method": "cash"}
    assert problem_of(await guest.send("POST", "/payments/create", body), 422)["code"] == "unknown-payment-method"
    rival = await make_operator(database, secrets, "rival")
    for person in (await rival.hire("agent"), await theatre.hire("driver")):
        stranger = Clerk(client, await token_of(person))
        assert problem_of(await stranger.send("POST", "/payments/create", body), 404)["code"] == "booking-not-found"
    assert await state(guest, made) == "pending"


# --- who


async def test_money_is_noted_by_the_staff_of_the_operator_alone(box, client, database, secrets, guest, theatre):
    made, payment = await begun(guest, await box.show())
    rival = await make_operator(database, secrets, "rival")
    stranger = Clerk(client, await token_of(await rival.hire("operator_admin")))
    assert problem_of(await stranger.note(payment), 404)["code"] == "payment-not-found"
    for role in ("driver", "agent"):  # who sells has not looked into the account
        clerk = Clerk(client, await token_of(await theatre.hire(role)))
        assert problem_of(await clerk.note(payment), 403)["code"] == "not-allowed"
    own = Clerk(client, "")
    own.headers = guest.headers
    assert problem_of(await own.note(payment), 403)["code"] == "not-allowed"
    assert await state(guest, made) == "payment_processing"


async def test_staff_of_another_operator_do_not_note_money_for_their_own_bookings(
    box, client, database, secrets, theatre
):
    rival = await make_operator(database, secrets, "rival")
    somebody = await rival.hire("operator_admin")
    buyer = Guest(client, box, somebody.actor, await token_of(somebody))
    made, payment = await begun(buyer, await box.show())
    agent = Clerk(client, await token_of(somebody))
    assert problem_of(await agent.note(payment), 404)["code"] == "payment-not-found"
    body = {"bookingId": made["bookingId"], "method": "cash"}
    answer = await agent.send("POST", "/payments/create", body)
    assert problem_of(answer, 422)["code"] == "unknown-payment-method"


async def test_paying_out_is_for_who_may_give_money_back_and_has_just_proved_who_they_are(
    box, client, database, secrets, services, guest, clerk, chief, theatre
):
    made, payment = await begun(guest, await box.show())
    await chief.note(payment)
    await chief.note(payment, reference="FT2")
    [refund] = await chief.owed()
    assert refund["reason"] == "duplicate"
    assert problem_of(await clerk.pay_out(refund), 403)["code"] == "not-allowed"
    rival = await make_operator(database, secrets, "rival")
    other = Clerk(client, await token_of(await rival.hire("operator_admin")))
    assert await other.owed() == []
    assert problem_of(await other.pay_out(refund), 404)["code"] == "refund-not-found"
    assert await scalar(database, "SELECT status FROM refund") == "pending"
    assert (await chief.pay_out(refund)).status_code == 200
    assert await state(guest, made) == "confirmed"


# --- what is refused


async def test_a_providers_money_is_not_noted_by_hand(box, guest, chief):
    _, payment = await begun(guest, await box.show(), "sandbox")
    assert problem_of(await chief.note(payment), 409)["code"] == "not-by-hand"


@pytest.mark.parametrize(
    ("note", "field"),
    [
        ({"reference": " \n"}, "reference"),
        ({"reference": "x" * 141}, "reference"),
        ({"amount": "0.00"}, "amount"),
        ({"amount": "-1.00"}, "amount"),
        ({"amount": "1.001"}, "amount"),
        ({"currency": "XXQ"}, "amount"),
    ],
)
async def test_a_note_without_a_reference_or_an_amount_is_refused(box, guest, chief, note, field):
    _, payment = await begun(guest, await box.show())
    problem = problem_of(await chief.note(payment, **note), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


async def test_nobody_tells_of_cash_or_transfers_by_a_webhook(client):
    for provider in ("bank", "cash"):
        answer = await client.post(f"{API}/webhooks/payments/{provider}", json={})
        assert problem_of(answer, 400)["code"] == "bad-signature"


async def test_a_transfer_is_not_offered_when_it_would_come_too_late(box, guest):
    made = await guest.book(await box.show(begins_in=12 * 3600 - 60))
    offered = (await guest.send("GET", f"/payments/methods?bookingId={made['bookingId']}")).json()["items"]
    assert [each["method"] for each in offered] == ["sandbox"]
    body = {"bookingId": made["bookingId"], "method": "bank-transfer"}
    assert problem_of(await guest.send("POST", "/payments/create", body), 422)["code"] == "unknown-payment-method"
    assert await state(guest, made) == "pending"


async def test_another_way_of_paying_does_not_keep_seats_as_long_as_a_transfer(box, database, guest):
    await begun(guest, await box.show(), "sandbox")
    waits = await scalar(database, "SELECT extract(epoch FROM expires_at - now())::int FROM booking")
    assert waits <= 1200
