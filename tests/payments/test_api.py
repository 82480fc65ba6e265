"""Payments through HTTP: from held seats to a confirmed booking, as a client does it."""

import asyncio
import re

import msgspec
import pytest
from tests.bookings.shows import run_out, scalar
from tests.bookings.test_api import CONTACT, PERSON, Guest, problem_of
from tests.payments.till import paid

from farebox.core.ids import new_id
from farebox.payments import ProviderUnavailable, make_forgotten_refunds

API = "/api/v1"


@pytest.fixture
async def guest(client, box):
    return Guest(client, box, *(await box.guest_with_token()))


async def begun(guest, show, **more):
    made = await guest.book(show)
    answer = await guest.send("POST", "/payments/intent", {"bookingId": made["bookingId"], "method": "sandbox"} | more)
    assert answer.status_code == 201, answer.text
    return made, answer.json()


async def play(client, payment, outcome):
    return await client.post(f"{API}/payments/sandbox/{payment['paymentId']}", json={"outcome": outcome})


async def test_from_held_seats_to_a_confirmed_booking(box, database, client, guest):
    show = await box.show()
    hold = await guest.hold(show)
    form = {"lockId": str(hold.id), "passengers": [PERSON], "contact": CONTACT}
    made = (await guest.send("POST", "/bookings", form)).json()
    methods = (await guest.send("GET", f"/payments/methods?bookingId={made['bookingId']}")).json()
    assert methods == {
        "items": [{"method": "sandbox", "name": "Test payment, no money moves"}],
        "toPay": made["total"],
        "changeId": None,
    }

    body = {"bookingId": made["bookingId"], "method": "sandbox", "returnUrl": "/thanks"}
    begun = await guest.send("POST", "/payments/create", body)
    payment = begun.json()
    assert (begun.status_code, payment["status"]) == (201, "processing")
    assert payment["amount"] == made["total"]
    assert payment["checkoutUrl"].endswith(f"/pay/sandbox/{payment['paymentId']}")
    assert payment["returnUrl"] == "http://127.0.0.1:8000/thanks"
    booking = f"/bookings/{made['bookingId']}"
    assert (await guest.send("GET", booking)).json()["status"] == "payment_processing"
    assert problem_of(await guest.send("POST", booking + "/confirm"), 402)["code"] == "payment-required"
    confirm = {"paymentId": payment["paymentId"]}
    assert problem_of(await guest.send("POST", "/payments/confirm", confirm), 402)["code"] == "payment-required"

    played = await play(client, payment, "succeeded")
    assert (played.status_code, played.json()["status"]) == (200, "completed")
    assert (await guest.send("POST", booking + "/confirm")).json()["status"] == "confirmed"
    assert (await guest.send("POST", "/payments/confirm", confirm)).json()["status"] == "completed"
    assert (await guest.send("GET", f"/payments/{payment['paymentId']}")).json()["status"] == "completed"
    assert await scalar(database, "SELECT count(*) FROM ticket") == 1
    reacting = "SELECT count(*) FROM outbox_event WHERE type IN ('booking.confirmed', 'payment.completed')"
    assert await scalar(database, reacting) == 2


async def test_the_sandboxs_page_leads_back_to_this_site(box, client, guest):
    made, payment = await begun(guest, await box.show(), returnUrl="https://app.example//evil.example/")
    at = f"/pay/sandbox/{payment['paymentId']}"
    form = (await client.get(at)).text
    token = re.search('name="_csrf_token" value="([^"]+)"', form)
    assert token
    answer = await client.post(at, data={"outcome": "decline", "_csrf_token": token[1]}, follow_redirects=False)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/{made['bookingId']}/return")


async def test_declined_then_paid(box, client, guest):
    made, payment = await begun(guest, await box.show())
    declined = (await play(client, payment, "failed")).json()
    assert (declined["status"], declined["failure"]) == ("failed", "declined")
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "pending"
    again = await guest.send("POST", "/payments/intent", {"bookingId": made["bookingId"], "method": "sandbox"})
    await play(client, again.json(), "succeeded")
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "confirmed"


async def test_late_with_the_seat_free_is_confirmed(box, client, guest):
    made, payment = await begun(guest, await box.show())
    assert (await play(client, payment, "late")).json()["status"] == "completed"
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "confirmed"


async def test_late_with_the_seat_gone_is_refunded(box, database, client, guest, services):
    show = await box.show()
    booking = await box.book(guest.actor, await guest.hold(show))
    payment = (await guest.send("POST", "/payments/intent", {"bookingId": str(booking.id), "method": "sandbox"})).json()
    await run_out(database, booking)
    await guest.send("GET", f"/bookings/{booking.id}")
    await box.hold(await box.guest(), show)
    assert (await play(client, payment, "succeeded")).json()["status"] == "completed"
    await make_forgotten_refunds(database, providers=services.providers, older_than_seconds=0)
    now = (await guest.send("GET", f"/bookings/{booking.id}")).json()
    assert (now["status"], now["reason"]) == ("refunded", "expired")
    assert (await guest.send("GET", f"/payments/{payment['paymentId']}")).json()["status"] == "refunded"
    refused = await guest.send("POST", f"/bookings/{booking.id}/confirm")
    assert problem_of(refused, 409)["code"] == "not-payable"


async def test_twice_gives_the_second_back(box, database, client, guest):
    made, payment = await begun(guest, await box.show())
    await play(client, payment, "twice")
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "confirmed"
    assert await scalar(database, "SELECT reason FROM refund") == "duplicate"
    queued = "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'payments.refund'"
    assert await scalar(database, queued) == 1


async def test_what_cannot_be_paid_is_told(box, database, client, guest):
    made, payment = await begun(guest, await box.show())
    await play(client, payment, "succeeded")
    body = {"bookingId": made["bookingId"], "method": "sandbox"}
    problem = problem_of(await guest.send("POST", "/payments/intent", body), 409)
    assert (problem["code"], problem["bookingStatus"]) == ("not-payable", "confirmed")
    other = await guest.book(await box.show())
    wrong = {"bookingId": other["bookingId"], "method": "shells"}
    assert problem_of(await guest.send("POST", "/payments/intent", wrong), 422)["code"] == "unknown-payment-method"
    url = {"bookingId": other["bookingId"], "method": "sandbox", "returnUrl": "javascript:x"}
    assert problem_of(await guest.send("POST", "/payments/intent", url), 422)["errors"][0]["field"] == "returnUrl"
    free = await guest.book(await box.show(price=0, fee=0))
    nothing = {"bookingId": free["bookingId"], "method": "sandbox"}
    assert problem_of(await guest.send("POST", "/payments/intent", nothing), 409)["code"] == "nothing-to-pay"
    async with database.begin() as work:
        await work.execute(
            "UPDATE booking SET expires_at = now() - interval '1 s' WHERE id = %s", (other["bookingId"],)
        )
    over = {"bookingId": other["bookingId"], "method": "sandbox"}
    assert problem_of(await guest.send("POST", "/payments/intent", over), 410)["code"] == "booking-expired"


async def test_others_reach_no_payment(box, client, guest):
    made, payment = await begun(guest, await box.show())
    other = Guest(client, box, *(await box.guest_with_token()))
    attempts = [
        ("GET", f"/payments/{payment['paymentId']}", None),
        ("GET", f"/payments/methods?bookingId={made['bookingId']}", None),
        ("POST", "/payments/confirm", {"paymentId": payment["paymentId"]}),
        ("POST", "/payments/intent", {"bookingId": made["bookingId"], "method": "sandbox"}),
        ("POST", "/payments/create", {"bookingId": made["bookingId"], "method": "sandbox"}),
    ]
    for method, path, body in attempts:
        problem_of(await other.send(method, path, body), 404)
        assert (await client.request(method, API + path, json=body)).status_code == 401


async def test_a_payment_sent_twice_with_one_key_begins_once(box, database, guest):
    made = await guest.book(await box.show())
    body = {"bookingId": made["bookingId"], "method": "sandbox"}
    answers = [await guest.send("POST", "/payments/intent", body, **{"Idempotency-Key": "p"}) for _ in range(2)]
    assert answers[0].json() == answers[1].json()
    assert await scalar(database, "SELECT count(*) FROM payment") == 1


async def test_a_webhook_needs_its_signature_and_may_come_again(box, client, guest, services, till, database):
    booking = await box.book(guest.actor, await guest.hold(await box.show()))
    payment = await till.start(booking, guest.actor)
    body = msgspec.json.encode(paid(payment))
    where = f"{API}/webhooks/payments/sandbox"
    assert problem_of(await client.post(where, content=body), 400)["code"] == "bad-signature"
    bad = till.bank.sign(body + b" ")
    assert problem_of(await client.post(where, content=body, headers=bad), 400)["code"] == "bad-signature"
    assert await scalar(database, "SELECT count(*) FROM payment_event") == 0
    for _ in range(2):
        answer = await client.post(where, content=body, headers=services.providers["sandbox"].sign(body))
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await till.charges() == [("applied", 1350, 0)]
    signed = services.providers["sandbox"].sign(b"{}")
    assert problem_of(await client.post(where, content=b"{}", headers=signed), 422)["code"] == "unreadable-webhook"
    unknown = await client.post(f"{API}/webhooks/payments/shells", content=body)
    assert problem_of(unknown, 404)["code"] == "unknown-payment-provider"


async def test_the_sandbox_knows_its_payments_and_outcomes_only(box, client, guest):
    _, payment = await begun(guest, await box.show())
    missing = await client.post(f"{API}/payments/sandbox/{new_id()}", json={"outcome": "succeeded"})
    assert problem_of(missing, 404)["code"] == "payment-not-found"
    assert problem_of(await play(client, payment, "explode"), 400)["code"] == "invalid"


async def test_many_payments_begun_at_once_do_not_wait_for_each_others_connections(box, guest):
    """More than the pool has connections: if each request kept one while it asks for a second, all would starve."""
    show = await box.show(seats=12)
    made = [await guest.book(show, [unit]) for unit in range(12)]
    answers = await asyncio.gather(
        *(
            guest.send("POST", "/payments/intent", {"bookingId": each["bookingId"], "method": "sandbox"})
            for each in made
        )
    )
    assert [answer.status_code for answer in answers] == [201] * 12


async def test_coming_back_finds_money_whose_message_was_lost(box, client, guest):
    made, payment = await begun(guest, await box.show())
    await play(client, payment, "silent")
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "payment_processing"
    answer = await guest.send("POST", "/payments/confirm", {"paymentId": payment["paymentId"]})
    assert (answer.status_code, answer.json()["status"]) == (200, "completed")
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["status"] == "confirmed"


async def test_as_long_as_nothing_is_known_nothing_has_failed(box, client, guest, services, monkeypatch):
    _, payment = await begun(guest, await box.show())

    async def silence(payment):
        raise ProviderUnavailable

    monkeypatch.setattr(services.providers["sandbox"], "fetch", silence)
    for _ in range(2):
        answer = await guest.send("POST", "/payments/confirm", {"paymentId": payment["paymentId"]})
        assert problem_of(answer, 402)["code"] == "payment-required"
    assert (await guest.send("GET", f"/payments/{payment['paymentId']}")).json()["status"] == "processing"


async def test_the_page_after_paying_finds_money_whose_message_was_lost(box, client, guest):
    made, payment = await begun(guest, await box.show())
    page = f"/bookings/{made['bookingId']}/return"
    headers = guest.headers
    waiting = await client.get(page, headers=headers)
    assert waiting.status_code == 200  # it waits, and does not say that anything failed
    await play(client, payment, "silent")
    async with box.database.begin() as work:
        await work.execute("UPDATE payment SET checked_at = NULL")  # some seconds later
    answer = await client.get(page, headers=headers)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/bookings/{made['bookingId']}?booked=1")
