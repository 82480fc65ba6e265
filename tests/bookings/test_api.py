"""Bookings through HTTP."""

import asyncio

import httpx
import pytest
from tests.apps import app_of
from tests.bookings.shows import run_out, scalar

from farebox.accounts import open_booking_session
from farebox.bookings import make_lookup_code

API = "/api/v1"

PERSON = {
    "seatNumber": "A1",
    "fullName": "Nguyễn Văn An",
    "idType": "citizen_id",
    "idNumber": "001099012345",
    "phone": "0912345678",
}
CONTACT = {"email": "an.nguyen@example.com", "phone": "0912345678"}


class Guest:
    """A visitor with a token, who holds and books seats."""

    def __init__(self, client, box, actor, token):
        self.client, self.box, self.actor = client, box, actor
        self.headers = {"Authorization": f"Bearer {token}"}

    async def send(self, method, path, json=None, **headers):
        return await self.client.request(method, API + path, json=json, headers=self.headers | headers)

    async def hold(self, show, units=(0,)):
        return await self.box.hold(self.actor, show, units)

    async def form(self, show, units=(0,), **more):
        hold = await self.hold(show, units)
        people = [PERSON | {"seatNumber": f"A{unit + 1}"} for unit in units]
        return {"lockId": str(hold.id), "passengers": people, "contact": CONTACT} | more

    async def book(self, show, units=(0,), **more):
        answer = await self.send("POST", "/bookings", await self.form(show, units, **more))
        assert answer.status_code == 201, answer.text
        return answer.json()


@pytest.fixture
def visit(client, box):
    async def visit():
        return Guest(client, box, *(await box.guest_with_token()))

    return visit


@pytest.fixture
async def guest(visit):
    return await visit()


def problem_of(answer, status):
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/problem+json")
    return answer.json()


async def test_a_booking_is_made_and_read(box, guest):
    show = await box.show()
    made = await guest.book(show, expectedTotal={"amount": "13.50", "currency": "EUR"})
    assert made["status"] == "pending"
    assert made["total"] == {"amount": "13.50", "currency": "EUR"}
    assert made["tax"] == {"amount": "1.14", "currency": "EUR"}
    assert [(line["label"], line["amount"]["amount"]) for line in made["priceLines"]] == [
        ("Seat A1", "12.50"),
        ("Service fee", "1.00"),
    ]
    assert made["expiresAt"]
    assert made["reason"] is None
    [item] = made["items"]
    assert (item["tripId"], item["seatNumbers"], item["to"]) == (str(show.id), ["A1"], None)
    assert item["from"]["place"] == "Huế"
    assert item["from"]["time"].endswith("+07:00")
    assert item["passengers"][0]["idNumber"] == "•••••••••345"
    assert item["passengers"][0]["phone"] == "+84912345678"
    assert made["contact"] == {"email": "an.nguyen@example.com", "phone": "+84912345678"}
    for path in (f"/bookings/{made['bookingId']}", f"/bookings/reference/{made['bookingReference'].lower()}"):
        answer = await guest.send("GET", path)
        assert answer.json() == made
        assert answer.headers["cache-control"] == "private, no-store"
    listed = (await guest.send("GET", "/bookings")).json()
    assert listed == {"items": [made], "total": 1, "limit": 20, "offset": 0}


COMPANY = {
    "name": "Công ty TNHH Sông Hương",
    "taxNumber": "3300101234",
    "address": "12 Lê Lợi\nHuế",
    "country": "VN",
}


async def test_a_company_for_the_invoice_is_given_with_the_booking_and_read_again(box, guest):
    made = await guest.book(await box.show(), invoiceTo=COMPANY)
    assert made["invoiceTo"] == COMPANY
    assert (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()["invoiceTo"] == COMPANY
    assert (await guest.send("GET", "/bookings")).json()["items"] == [made]


async def test_details_for_the_invoice_are_changed_and_taken_away_and_nothing_else(box, guest, visit):
    made = await guest.book(await box.show())
    at = f"/bookings/{made['bookingId']}"
    assert made["invoiceTo"] is None
    changed = (await guest.send("PATCH", at, {"invoiceTo": {"name": " Sông   Hương "}})).json()
    assert changed["invoiceTo"] == {"name": "Sông Hương", "taxNumber": "", "address": "", "country": ""}
    assert changed | {"invoiceTo": None} == made
    assert problem_of(await (await visit()).send("PATCH", at, {"invoiceTo": None}), 404)["code"] == "booking-not-found"
    assert (await guest.send("POST", f"{at}/modify", {"invoiceTo": None})).json() == made


async def test_what_is_wrong_with_details_is_told_before_anything_is_booked(box, guest, database):
    form = await guest.form(await box.show(), invoiceTo=COMPANY | {"name": " ", "country": "XX"})
    problem = problem_of(await guest.send("POST", "/bookings", form), 422)
    assert [(each["field"], each["code"]) for each in problem["errors"]] == [
        ("invoiceTo.name", "required"),
        ("invoiceTo.country", "unknown-country"),
    ]
    assert await scalar(database, "SELECT count(*) FROM booking") == 0


async def test_the_language_of_the_request_is_the_bookings(box, guest):
    answer = await guest.send("POST", "/bookings", await guest.form(await box.show()), **{"Accept-Language": "vi"})
    assert answer.json()["language"] == "vi"


async def test_several_locks_make_one_booking(box, guest):
    first, second = await box.show(), await box.show()
    holds = await guest.hold(first), await guest.hold(second)
    form = {"lockIds": [str(hold.id) for hold in holds], "passengers": [PERSON, PERSON], "contact": CONTACT}
    made = (await guest.send("POST", "/bookings", form)).json()
    assert [item["tripId"] for item in made["items"]] == [str(first.id), str(second.id)]
    assert made["total"]["amount"] == "27.00"


async def test_a_price_that_changed_is_told_with_the_new_total(box, guest):
    form = await guest.form(await box.show(), expectedTotal={"amount": "1.00", "currency": "EUR"})
    problem = problem_of(await guest.send("POST", "/bookings", form), 409)
    assert (problem["code"], problem["total"]) == ("price-changed", {"amount": "13.50", "currency": "EUR"})


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"passengers": []}, "passengers", "passenger-missing"),
        ({"passengers": [PERSON | {"idNumber": "1"}]}, "passengers.0.idNumber", "invalid-id-number"),
        ({"contact": {"email": "x", "phone": "0912345678"}}, "contact.email", "invalid-email"),
        ({"promoCode": "SALE"}, "promoCode", "unknown-promo-code"),
        ({"expectedTotal": {"amount": "1.005", "currency": "EUR"}}, "expectedTotal", "invalid-amount"),
        ({"lockIds": "nonsense"}, None, None),
        ({"passengers": [PERSON | {"idType": "library-card"}]}, None, None),
        ({"passengers": [{"seatNumber": "A1"}]}, None, None),
        ({"total": "0"}, None, None),
    ],
)
async def test_a_wrong_form_is_refused_field_by_field(box, database, guest, change, field, code):
    form = await guest.form(await box.show()) | change
    problem = problem_of(await guest.send("POST", "/bookings", form), 422 if field else 400)
    assert problem["code"] == "invalid"
    if field:
        assert [(error["field"], error["code"]) for error in problem["errors"]] == [(field, code)]
    assert await scalar(database, "SELECT count(*) FROM booking") == 0


async def test_whoever_a_client_says_it_is_the_booking_is_the_credentials_own(box, database, guest):
    form = await guest.form(await box.show()) | {"userId": "somebody else"}
    answer = await guest.send("POST", "/bookings", form)
    assert answer.status_code == 201
    plain = await guest.book(await box.show())
    owners = await scalar(database, "SELECT count(DISTINCT owner) FROM booking")
    assert (owners, plain["status"]) == (1, "pending")


async def test_messages_speak_the_readers_language_even_for_fields(box, guest):
    form = await guest.form(await box.show()) | {"passengers": []}
    problem = problem_of(await guest.send("POST", "/bookings", form), 422)
    assert problem["errors"][0]["message"] == "Seat A1 has no passenger yet."


async def test_a_lock_that_ran_out_is_gone_and_one_of_somebody_else_is_not_found(box, database, guest, visit):
    form = await guest.form(await box.show())
    assert problem_of(await (await visit()).send("POST", "/bookings", form), 404)["code"] == "lock-not-found"
    async with database.begin() as work:
        await work.execute("UPDATE hold SET expires_at = now() - interval '1 s'")
    assert problem_of(await guest.send("POST", "/bookings", form), 410)["code"] == "lock-expired"


async def test_a_lock_that_became_a_booking_says_so_to_its_owner_alone(box, guest, visit):
    form = await guest.form(await box.show())
    made = (await guest.send("POST", "/bookings", form)).json()
    again = problem_of(await guest.send("POST", "/bookings", form), 409)
    assert (again["code"], again["bookingId"]) == ("already-booked", made["bookingId"])
    assert again["reference"] == made["bookingReference"]
    assert problem_of(await (await visit()).send("POST", "/bookings", form), 404)["code"] == "lock-not-found"


async def test_nobody_else_reads_changes_cancels_or_confirms(box, database, client, guest, visit):
    made = await guest.book(await box.show())
    path = f"/bookings/{made['bookingId']}"
    attempts = [
        ("GET", path, None),
        ("GET", f"/bookings/reference/{made['bookingReference']}", None),
        ("GET", f"/bookings/guest/lookup?reference={made['bookingReference']}", None),
        ("PATCH", path, {"contact": CONTACT}),
        ("POST", path + "/modify", {"contact": CONTACT}),
        ("DELETE", path, None),
        ("PUT", path + "/cancel", {}),
        ("POST", path + "/confirm", None),
    ]
    other = await visit()
    for method, where, body in attempts:
        assert problem_of(await other.send(method, where, body), 404)["code"] == "booking-not-found"
        assert (await client.request(method, API + where, json=body)).status_code == 401
    assert (await other.send("GET", "/bookings")).json()["items"] == []
    assert (await guest.send("GET", path)).json() == made


async def test_people_are_changed_by_patch_and_by_modify(box, guest):
    made = await guest.book(await box.show(), [0, 1])
    people = [PERSON, PERSON | {"seatNumber": "A2", "passengerType": "child"}]
    path = f"/bookings/{made['bookingId']}"
    changed = (await guest.send("PATCH", path, {"passengers": people})).json()
    assert changed["total"]["amount"] == "19.75"
    again = await guest.send("POST", path + "/modify", {"contact": {"email": "b@example.com", "phone": "0912345678"}})
    assert again.status_code == 200
    assert again.json()["contact"]["email"] == "b@example.com"
    assert again.json()["total"]["amount"] == "19.75"
    wrong = {"passengers": people, "expectedTotal": {"amount": "26.00", "currency": "EUR"}}
    assert problem_of(await guest.send("PATCH", path, wrong), 409)["code"] == "price-changed"


@pytest.mark.parametrize("by", ["delete", "put", "put without a body"])
async def test_an_unpaid_booking_is_cancelled(box, database, guest, by):
    made = await guest.book(await box.show())
    path = f"/bookings/{made['bookingId']}"
    if by == "delete":
        answer = await guest.send("DELETE", path + "?reason=Changed%20my%20mind")
    else:
        answer = await guest.send("PUT", path + "/cancel", {"reason": "Changed my mind"} if by == "put" else None)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["status"], answer.json()["reason"]) == ("cancelled", "customer")
    note = await scalar(database, "SELECT facts->>'note' FROM booking_audit ORDER BY id DESC LIMIT 1")
    assert note == (None if by == "put without a body" else "Changed my mind")
    assert problem_of(await guest.send("DELETE", path), 409)["code"] == "not-cancellable"
    assert problem_of(await guest.send("PATCH", path, {"contact": CONTACT}), 409)["code"] == "not-modifiable"


async def test_an_unpaid_booking_is_not_confirmed(box, database, guest):
    made = await guest.book(await box.show())
    confirm = f"/bookings/{made['bookingId']}/confirm"
    assert problem_of(await guest.send("POST", confirm), 402)["code"] == "payment-required"
    async with database.begin() as work:
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 s'")
    assert problem_of(await guest.send("POST", confirm), 410)["code"] == "booking-expired"


async def test_a_free_booking_is_confirmed_without_a_payment(box, database, guest):
    made = await guest.book(await box.show(price=0, fee=0))
    assert made["total"] == {"amount": "0.00", "currency": "EUR"}
    for _ in range(2):
        confirmed = (await guest.send("POST", f"/bookings/{made['bookingId']}/confirm")).json()
        assert (confirmed["status"], confirmed["expiresAt"]) == ("confirmed", None)
    assert await scalar(database, "SELECT count(*) FROM ticket") == 1
    assert await scalar(database, "SELECT count(*) FROM ledger_entry") == 0


async def test_a_booking_that_ran_out_is_told_so(box, database, guest):
    made = await guest.book(await box.show())
    async with database.begin() as work:
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 s'")
    read = (await guest.send("GET", f"/bookings/{made['bookingId']}")).json()
    assert (read["status"], read["reason"], read["expiresAt"]) == ("cancelled", "expired", None)
    assert await scalar(database, "SELECT status FROM booking") == "cancelled"


async def test_the_list_is_filtered_by_what_people_ask_for(box, database, guest):
    made = {
        "upcoming": await guest.book(await box.show(price=0, fee=0)),
        "pending": await guest.book(await box.show()),
        "cancelled": await guest.book(await box.show()),
    }
    lapsed = await guest.book(await box.show())
    over = await guest.book(await box.show(price=0, fee=0, begins_in=-60))
    for free in (made["upcoming"], over):
        await guest.send("POST", f"/bookings/{free['bookingId']}/confirm")
    await guest.send("DELETE", f"/bookings/{made['cancelled']['bookingId']}")
    async with database.begin() as work:
        await work.execute(
            "UPDATE booking SET expires_at = now() - interval '1 s' WHERE id = %s", (lapsed["bookingId"],)
        )

    async def listed(query):
        page = (await guest.send("GET", f"/bookings?{query}")).json()
        return [item["bookingId"] for item in page["items"]], page["total"]

    ahead = [made["pending"]["bookingId"], made["upcoming"]["bookingId"]]  # also those that are to be paid
    assert await listed("status=upcoming") == (ahead, 2)
    assert await listed("status=confirmed") == ([over["bookingId"], made["upcoming"]["bookingId"]], 2)
    assert await listed("status=expired") == ([lapsed["bookingId"]], 1)
    assert await listed("status=refunded") == await listed("status=payment_processing") == ([], 0)
    assert (await listed("sort=date"))[0][0] == over["bookingId"]
    assert (await listed("sort=-date"))[0][-1] == over["bookingId"]
    assert await listed("status=pending") == ([made["pending"]["bookingId"]], 1)
    assert await listed("status=cancelled") == ([lapsed["bookingId"], made["cancelled"]["bookingId"]], 2)
    assert await listed("status=completed") == ([], 0)
    begun = {"bookingId": made["pending"]["bookingId"], "method": "sandbox"}
    assert (await guest.send("POST", "/payments/create", begun)).status_code == 201
    for status in ("pending", "payment_processing"):
        assert await listed(f"status={status}") == ([made["pending"]["bookingId"]], 1)
    assert await listed("limit=2&offset=1") == ([lapsed["bookingId"], made["cancelled"]["bookingId"]], 5)
    for wrong in ("status=unknown", "offset=-1", f"offset={2**63}"):
        assert problem_of(await guest.send("GET", f"/bookings?{wrong}"), 400)["code"] == "invalid"


# --- found again


async def test_lookup_answers_alike_for_hit_and_miss_and_the_code_opens_the_booking(
    box, database, client, guest, secrets
):
    made = await guest.book(await box.show())
    hit = {"reference": made["bookingReference"], "contact": CONTACT["email"]}
    miss = {"reference": made["bookingReference"], "contact": "other@example.com"}
    answers = [await client.post(API + "/bookings/guest/lookup", json=body) for body in (hit, miss)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].content == answers[1].content == b'{"verification":"sent"}'
    assert await scalar(database, "SELECT count(*) FROM procrastinate_jobs WHERE args->>'event' IS NOT NULL") >= 2

    lookup_id = await scalar(database, "SELECT id FROM booking_lookup ORDER BY created_at LIMIT 1")
    async with database.begin() as work:
        letter = await make_lookup_code(work, lookup_id, secrets=secrets)
    assert letter
    wrong = f"{(int(letter.code) + 1) % 10**6:06d}"
    verify = API + "/bookings/guest/verify"
    refusals = [
        await client.post(verify, json=hit | {"code": wrong}),
        await client.post(verify, json=miss | {"code": letter.code}),
    ]
    for refusal in refusals:
        assert problem_of(refusal, 422)["code"] == "lookup-failed"
    assert refusals[0].content == refusals[1].content
    assert await scalar(database, "SELECT sum(tries) FROM booking_lookup") == 1  # counted although it was refused

    opened = (await client.post(verify, json=hit | {"code": letter.code})).json()
    assert opened["booking"] == made
    headers = {"Authorization": f"Bearer {opened['guestToken']}"}
    where = f"{API}/bookings/guest/lookup?reference={made['bookingReference']}"
    assert (await client.get(where, headers=headers)).json() == made
    other = await guest.book(await box.show())
    for path in (f"/bookings/{other['bookingId']}", f"/bookings/reference/{other['bookingReference']}"):
        assert (await client.get(API + path, headers=headers)).status_code == 404
    assert (await client.get(API + "/bookings", headers=headers)).json()["total"] == 1
    assert (await client.delete(f"{API}/bookings/{made['bookingId']}", headers=headers)).status_code == 200


async def test_a_mistyped_reference_gets_no_code_and_is_told_apart_where_a_booking_is_asked_for(box, client, guest):
    made = await guest.book(await box.show())
    right = made["bookingReference"]
    wrong = right[:-1] + ("2" if right[-1] != "2" else "3")
    answer = await client.post(API + "/bookings/guest/lookup", json={"reference": wrong, "contact": CONTACT["email"]})
    assert (answer.status_code, answer.json()) == (202, {"verification": "sent"})  # as for any other
    assert problem_of(await guest.send("GET", f"/bookings/reference/{wrong}"), 404)["code"] == "reference-mistyped"
    unknown = "BUS20261120K7QM2XA"
    assert problem_of(await guest.send("GET", f"/bookings/reference/{unknown}"), 404)["code"] == "booking-not-found"


async def test_a_token_for_one_booking_books_nothing(box, client, guest, database):
    made = await guest.book(await box.show())
    async with database.begin() as work:
        token = await open_booking_session(work, made["bookingId"], ttl_seconds=60)
    form = await guest.form(await box.show())
    answer = await client.post(API + "/bookings", json=form, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code in {403, 404}


# --- sent twice


async def test_a_write_sent_twice_with_one_key_is_done_once(box, database, guest):
    form = await guest.form(await box.show())
    first = await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k1", "Accept-Encoding": "gzip"})
    second = await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k1", "Accept-Encoding": "gzip"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert second.headers["idempotency-replayed"] == "true"
    assert second.headers["content-type"] == first.headers["content-type"]
    assert "idempotency-replayed" not in first.headers
    assert await scalar(database, "SELECT count(*) FROM booking") == 1


async def test_an_answer_is_kept_before_its_end_goes_out(box, database, services, guest):
    """Whoever has read all of it may ask again at once."""
    app, kept = app_of(services), []

    async def watched(scope, receive, send):
        async def sending(message):
            if message["type"] == "http.response.body" and not message.get("more_body"):
                kept.append(await scalar(database, "SELECT status FROM idempotent_request"))
            await send(message)

        await app(scope, receive, sending)

    form = await guest.form(await box.show())
    transport = httpx.ASGITransport(watched)
    async with httpx.AsyncClient(transport=transport, base_url="http://farebox.example") as client:
        headers = guest.headers | {"Idempotency-Key": "k"}
        assert (await client.post(API + "/bookings", json=form, headers=headers)).status_code == 201
    assert kept == [201]


async def test_control_without_a_key_the_second_is_another_request(box, guest):
    form = await guest.form(await box.show())
    assert (await guest.send("POST", "/bookings", form)).status_code == 201
    assert (await guest.send("POST", "/bookings", form)).status_code == 409


async def test_the_same_key_for_something_else_is_refused(box, database, guest):
    made = await guest.book(await box.show())
    path = f"/bookings/{made['bookingId']}"
    assert (await guest.send("PATCH", path, {"contact": CONTACT}, **{"Idempotency-Key": "k"})).status_code == 200
    other_body = await guest.send("PATCH", path, {"passengers": []}, **{"Idempotency-Key": "k"})
    other_route = await guest.send("PUT", path + "/cancel", {"contact": CONTACT}, **{"Idempotency-Key": "k"})
    for refused in (other_body, other_route):
        assert problem_of(refused, 422)["code"] == "idempotency-mismatch"
    assert await scalar(database, "SELECT status FROM booking") == "pending"


async def test_a_key_belongs_to_its_credential(box, guest, visit):
    other, show = await visit(), await box.show()
    for position, visitor in enumerate((guest, other)):
        form = await visitor.form(show, [position])
        assert (await visitor.send("POST", "/bookings", form, **{"Idempotency-Key": "k"})).status_code == 201


async def test_of_two_sent_at_once_with_one_key_one_waits(box, database, guest):
    form = await guest.form(await box.show())
    answers = await asyncio.gather(
        *(guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k"}) for _ in range(5))
    )
    assert sorted({answer.status_code for answer in answers}) in ([201], [201, 409])
    for answer in answers:
        if answer.status_code == 409:
            assert answer.json()["code"] == "idempotency-running"
            assert answer.headers["retry-after"] == "1"
    assert await scalar(database, "SELECT count(*) FROM booking") == 1


async def test_a_refusal_is_replayed_too_but_not_one_that_says_try_again(box, database, guest):
    form = await guest.form(await box.show()) | {"passengers": []}
    for _ in range(2):
        refused = await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k"})
        assert refused.status_code == 422
    assert refused.headers["idempotency-replayed"] == "true"
    made = await guest.book(await box.show())
    path = f"/bookings/{made['bookingId']}"
    async with database.begin() as busy:
        await busy.execute("SELECT 1 FROM booking WHERE id = %s FOR UPDATE", (made["bookingId"],))
        answer = await guest.send("DELETE", path, **{"Idempotency-Key": "k2"})
        assert problem_of(answer, 409)["code"] == "busy"
    assert (await guest.send("DELETE", path, **{"Idempotency-Key": "k2"})).status_code == 200


async def test_a_request_that_died_with_its_process_may_be_sent_again(box, database, guest):
    form = await guest.form(await box.show())
    await guest.send("POST", "/bookings", form | {"passengers": []}, **{"Idempotency-Key": "k"})
    async with database.begin() as work:
        await work.execute("UPDATE idempotent_request SET status = NULL")
    running = await guest.send("POST", "/bookings", form | {"passengers": []}, **{"Idempotency-Key": "k"})
    assert running.json()["code"] == "idempotency-running"
    async with database.begin() as work:
        await work.execute("UPDATE idempotent_request SET begun_at = begun_at - interval '61 s'")
    assert (await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k"})).status_code == 201


async def test_answers_are_kept_sealed_and_for_a_day(box, database, guest):
    form = await guest.form(await box.show())
    made = (await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k"})).json()
    dump = await scalar(database, "SELECT t::text FROM idempotent_request AS t")
    assert made["bookingReference"].encode().hex() not in dump
    async with database.begin() as work:
        await work.execute("UPDATE idempotent_request SET begun_at = begun_at - interval '24 h 1 s'")
    again = await guest.send("POST", "/bookings", form, **{"Idempotency-Key": "k"})
    assert again.status_code == 409


@pytest.mark.parametrize("key", ["", " ", "x" * 256])
async def test_an_empty_or_endless_key_is_refused(guest, key):
    answer = await guest.send("POST", "/bookings", {}, **{"Idempotency-Key": key})
    assert problem_of(answer, 422)["errors"][0]["code"] == "invalid-idempotency-key"


async def test_reading_takes_no_notice_of_a_key(box, guest):
    made = await guest.book(await box.show())
    path = f"/bookings/{made['bookingId']}"
    for _ in range(2):
        answer = await guest.send("GET", path, **{"Idempotency-Key": "k"})
        assert "idempotency-replayed" not in answer.headers


async def test_what_is_due_is_expired_when_its_owner_reads_it(box, database, guest):
    booking = await box.book(guest.actor, await guest.hold(await box.show()))
    await run_out(database, booking)
    read = await guest.send("GET", f"/bookings/{booking.id}")
    assert read.json()["reason"] == "expired"
