"""What somebody can do about their data through the API."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from tests.bookings.shows import scalar
from tests.counting import counted_statements
from tests.people import make_person, open_session_of
from tests.ticketing.paper import pages_of

from farebox.accounts import ROLES, Actor, add_member, list_accesses, note_access, person_subject
from farebox.bookings import get_booking
from farebox.core.ids import new_id

API = "/api/v1"


@pytest.fixture
async def sent(client, person):
    """Sends a request as the person, who has just signed in."""
    session = await open_session_of(person)

    async def send(method, path, json=None):
        return await client.request(method, API + path, json=json, headers={"Authorization": f"Bearer {session.token}"})

    return send


@pytest.fixture
async def stale(client, person):
    """The same, who signed in a while ago."""
    session = await open_session_of(person, proved_at=datetime.now(UTC) - timedelta(minutes=11))

    async def send(method, path):
        return await client.request(method, API + path, headers={"Authorization": f"Bearer {session.token}"})

    return send


async def test_an_export_has_everything(house, person, sent):
    booking = await house.travelled(person, units=(0, 1))
    company = {"name": "Sông Hương", "taxNumber": "3300101234", "address": "12 Lê Lợi", "country": "VN"}
    await sent("PATCH", f"/bookings/{booking.id}", {"invoiceTo": company})
    await sent("PUT", "/users/consents", {"consents": [{"purpose": "marketing-email", "given": True}]})
    answer = await sent("GET", "/users/export")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-disposition"].startswith("attachment;")
    document = answer.json()
    assert document["format"] == "farebox-export/1"
    assert document["profile"]["email"] == person.email
    assert document["profile"]["phone"] == "+84987654321"
    assert document["profile"]["birthDate"] == "1990-12-31"
    assert [each["isGiven"] for each in document["consents"]] == [True]
    assert [each["device"] for each in document["sessions"]] == ["Firefox on Linux"]
    [kept] = document["bookings"]
    assert kept["reference"] == booking.reference
    assert [each["idNumber"] for each in kept["passengers"]] == ["001099012345"] * 2
    assert [each["status"] for each in kept["payments"]] == ["completed"]
    assert kept["total"] == {"amount": "26.00", "currency": "EUR"}
    assert kept["invoiceTo"] == company
    assert [each["action"] for each in document["accesses"]] == ["exported"]
    assert set(document) == {
        "format", "exportedAt", "profile", "preferences", "settings", "consents", "sessions", "identities", "factors",
        "bookings", "wallets", "messages", "accesses",
    }  # fmt: skip
    assert "token" not in answer.text.lower()
    assert "password_hash" not in answer.text


async def test_an_archive_has_the_tickets_too(house, person, sent):
    booking = await house.travelled(person, units=(0, 1))
    answer = await sent("GET", "/users/export?format=zip")
    assert answer.headers["content-type"] == "application/zip"
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        assert archive.testzip() is None
        assert archive.namelist() == ["data.json", f"tickets/{booking.reference}.pdf"]
        assert json.loads(archive.read("data.json"))["profile"]["email"] == person.email
        assert len(pages_of(archive.read(f"tickets/{booking.reference}.pdf"))) == 2


async def test_an_export_is_of_ones_own_things_only(house, database, secrets, person, sent):
    other = await make_person(database, secrets, email="binh@example.com")
    theirs = await house.travelled(other)
    show_operator = await scalar(database, "SELECT id FROM operator")
    async with database.begin(reach="*") as work:
        await add_member(work, show_operator, person.id, "agent", invited_by=None)
    answer = await sent("GET", "/users/export")
    assert answer.json()["bookings"] == []
    assert theirs.reference not in answer.text


@pytest.mark.parametrize(("method", "path"), [("GET", "/users/export"), ("DELETE", "/users/me")])
async def test_what_matters_most_wants_a_fresh_proof(stale, method, path):
    answer = await stale(method, path)
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")


@pytest.mark.parametrize("path", ["export", "consents", "accesses", "erasure"])
async def test_visitors_have_no_such_thing(client, box, path):
    _, token = await box.guest_with_token()
    answer = await client.get(f"{API}/users/{path}", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 403
    assert (await client.get(f"{API}/users/{path}")).status_code == 401


async def test_an_account_is_erased_at_once(house, database, person, sent):
    await house.travelled(person)
    assert (await sent("GET", "/users/erasure")).json()["possible"] is True
    answer = await sent("DELETE", "/users/me")
    assert (answer.status_code, answer.json()) == (200, {"erased": True})
    assert (await sent("GET", "/users/consents")).status_code == 401
    assert await scalar(database, "SELECT email IS NULL FROM person") is True


async def test_an_account_that_is_needed_says_why(house, person, sent):
    booking, _ = await house.paid(person)
    asked = (await sent("GET", "/users/erasure")).json()
    assert asked == {
        "possible": False,
        "obstacles": ["upcoming"],
        "references": [booking.reference],
        "kept": ["amounts", "dates", "references", "rides"],
        "keptYears": 10,
    }
    answer = await sent("DELETE", "/users/me")
    assert answer.status_code == 409
    assert answer.json()["code"] == "not-erasable"
    assert answer.json()["references"] == [booking.reference]
    assert (await sent("GET", "/users/consents")).status_code == 200


async def test_consent_is_given_and_withdrawn(sent):
    before = (await sent("GET", "/users/consents")).json()["consents"]
    assert [(each["purpose"], each["given"], each["at"]) for each in before] == [
        ("marketing-email", False, None),
        ("marketing-sms", False, None),
    ]
    given = await sent("PUT", "/users/consents", {"consents": [{"purpose": "marketing-sms", "given": True}]})
    assert [each["given"] for each in given.json()["consents"]] == [False, True]
    assert given.json()["consents"][1]["wording"].startswith("I would like to get offers")
    taken = await sent("PUT", "/users/consents", {"consents": [{"purpose": "marketing-sms", "given": False}]})
    assert [each["given"] for each in taken.json()["consents"]] == [False, False]


@pytest.mark.parametrize("choice", [{"purpose": "x", "given": True}, {"purpose": "marketing-sms", "given": "yes"}])
async def test_what_is_no_choice_is_refused(sent, choice):
    assert (await sent("PUT", "/users/consents", {"consents": [choice]})).status_code == 400


async def test_one_sees_who_looked(house, box, database, person, sent):
    booking, _ = await house.paid(person)
    operator_id = await scalar(database, "SELECT id FROM operator")
    agent = Actor("user", new_id(), grants=((operator_id, ROLES["agent"]),))
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=agent)
    answer = (await sent("GET", "/users/accesses")).json()
    assert answer["total"] == 1
    [access] = answer["items"]
    assert (access["by"], access["operatorId"], access["action"]) == ("user", str(operator_id), "read")
    assert access["subject"] == f"booking:{booking.id}"
    assert str(agent.id) not in json.dumps(answer)


async def test_an_operators_auditor_searches_what_its_people_did(house, box, client, database, secrets, person):
    booking, _ = await house.paid(person)
    operator_id = await scalar(database, "SELECT id FROM operator")
    auditor = await make_person(database, secrets, email="boss@example.com")
    async with database.begin(reach="*") as work:
        await add_member(work, operator_id, auditor.id, "operator_admin", invited_by=None)
    agent = Actor("user", new_id(), grants=((operator_id, ROLES["agent"]),))
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=agent)
    session = await open_session_of(auditor)
    headers = {"Authorization": f"Bearer {session.token}"}
    answer = await client.get(f"{API}/audit/personal?subject=booking:{booking.id}", headers=headers)
    assert answer.status_code == 200, answer.text
    assert [each["actor"] for each in answer.json()["items"]] == [f"user:{agent.id}"]

    plain = await open_session_of(person)
    refused = await client.get(f"{API}/audit/personal", headers={"Authorization": f"Bearer {plain.token}"})
    assert refused.status_code == 403


@pytest.mark.parametrize("path", ["/users/accesses", "/audit/personal"])
async def test_a_list_asks_the_same_whether_short_or_long(client, database, secrets, path):
    admin = await make_person(database, secrets, roles=("admin", "user"))
    session = await open_session_of(admin, proved=["password", "totp"])
    headers = {"Authorization": f"Bearer {session.token}"}
    await client.get(API + path, headers=headers)  # connections are opened, and what is asked once only
    asked = []
    for more in (1, 19):
        async with database.begin() as work:
            for _ in range(more):
                await note_access(work, Actor("system"), person_subject(admin.id), "read")
        with counted_statements() as statements:
            answer = await client.get(API + path, headers=headers)
        assert answer.status_code == 200, answer.text
        asked.append((answer.json()["total"], len(statements)))
    assert [total for total, _ in asked] == [1, 20]
    assert asked[0][1] == asked[1][1]


async def test_an_admin_erases_who_cannot_sign_in_any_more(client, database, secrets, person):
    admin = await make_person(database, secrets, email="admin@example.com", roles=("admin", "user"))
    plain = await make_person(database, secrets, email="plain@example.com")
    path = f"{API}/people/{person.id}"

    async def ask(who, **columns):
        session = await open_session_of(who, **columns)
        return await client.delete(path, headers={"Authorization": f"Bearer {session.token}"})

    twice = {"proved": ["password", "totp"]}
    assert (await ask(plain)).status_code == 403
    assert (await ask(admin, **twice, proved_at=datetime.now(UTC) - timedelta(minutes=11))).status_code == 403
    assert (await ask(admin, **twice)).json() == {"erased": True}
    assert (await ask(admin, **twice)).status_code == 404
    async with database.begin(reach="*") as work:
        [access], _ = await list_accesses(work, [person_subject(person.id)])
    assert (access.actor, access.action) == (f"user:{admin.id}", "erased")
