"""Passkeys, over HTTP with an authenticator in software: made, used, and refused."""

import asyncio
import json
from datetime import UTC, datetime, timedelta

import httpx
import pytest
import time_machine
from tests.accounts.authenticator import Authenticator
from tests.accounts.browser import Browser, path_of
from tests.apps import app_of
from tests.people import make_person, open_session_of, sign_in_as

from farebox.accounts import find_site
from farebox.core.settings import load_settings

ORIGIN = "http://localhost:8000"


@pytest.fixture
def phone():
    return Authenticator(ORIGIN)


@pytest.fixture
async def nobody(client_of):
    return await client_of()


@pytest.fixture
async def browser(services):
    app = app_of(services)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=services.settings.base_url
    ) as client:
        yield Browser(client)


async def register(client, phone, name="Phone", **wrong):
    options = await client.post("/auth/passkeys/options")
    assert options.status_code == 200, options.text
    return await client.post("/auth/passkeys", json={"name": name, "credential": phone.create(options.json(), **wrong)})


async def sign_in(client, phone, **wrong):
    options = (await client.post("/auth/passkeys/sign-in/options")).json()
    credential = phone.get(options, **wrong)
    return await client.post("/auth/passkeys/sign-in", json={"credential": credential, "client": "app"})


@pytest.mark.parametrize("algorithm", [-7, -8], ids=["ES256", "EdDSA"])
async def test_a_passkey_is_made_and_signs_in_by_itself(client, nobody, an, algorithm):
    phone = Authenticator(ORIGIN, algorithm)
    made = await register(client, phone)
    assert made.status_code == 201, made.text
    assert len(made.json()["recoveryCodes"]) == 10
    tokens = await sign_in(nobody, phone)
    assert tokens.status_code == 200, tokens.text
    assert tokens.json()["user"]["id"] == str(an.id)
    nobody.headers["Authorization"] = f"Bearer {tokens.json()['accessToken']}"
    [factor] = (await nobody.get("/auth/factors")).json()["items"]
    assert (factor["kind"], factor["name"]) == ("passkey", "Phone")
    assert factor["usedAt"] is not None


async def test_what_the_device_is_asked_for(client, nobody, phone, an):
    options = (await client.post("/auth/passkeys/options")).json()
    assert options["rp"] == {"name": "Farebox", "id": "localhost"}
    assert (options["user"]["name"], options["user"]["displayName"]) == (an.email, "An Nguyễn")
    selection = options["authenticatorSelection"]
    assert (selection["residentKey"], selection["userVerification"]) == ("required", "required")
    assert (options["attestation"], options["timeout"]) == ("none", 300_000)
    assert options.get("excludeCredentials", []) == []
    await register(client, phone)
    [known] = (await client.post("/auth/passkeys/options")).json()["excludeCredentials"]
    assert known["transports"] == ["hybrid", "internal"]
    asked = (await nobody.post("/auth/passkeys/sign-in/options")).json()
    assert (asked["rpId"], asked["userVerification"]) == ("localhost", "required")
    assert asked.get("allowCredentials", []) == []  # it names nobody


async def test_a_passkey_counts_as_a_second_factor(client, nobody, phone, an, services):
    await register(client, phone)
    tokens = (await sign_in(nobody, phone)).json()
    actor = await services.sessions.authenticate(tokens["accessToken"])
    assert actor.proved == {"passkey"}


async def test_several_have_names_and_each_goes_by_itself(client, nobody):
    phone, key = Authenticator(ORIGIN), Authenticator(ORIGIN)
    await register(client, phone, "Phone")
    assert (await register(client, key, "Key")).json() == {"recoveryCodes": []}
    items = (await client.get("/auth/factors")).json()["items"]
    assert [item["name"] for item in items] == ["Phone", "Key"]
    renamed = await client.patch(f"/auth/factors/{items[1]['factorId']}", json={"name": "Blue key"})
    assert renamed.json()["name"] == "Blue key"
    assert (await client.delete(f"/auth/factors/{items[0]['factorId']}")).status_code == 204
    assert (await sign_in(nobody, phone)).json()["code"] == "passkey-refused"
    assert (await sign_in(nobody, key)).status_code == 200


WRONG = {
    "another site's page": {"origin": "http://localhost.evil.example:8000"},
    "another port": {"origin": "http://localhost:8001"},
    "another site": {"rp_id": "evil.example"},
    "another challenge": {"challenge": "ZmJjX25vdC1vdXJz"},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_what_was_made_for_something_else_is_no_passkey(client, phone, wrong):
    assert (await register(client, phone, **wrong)).json()["code"] == "passkey-refused"
    assert (await client.get("/auth/factors")).json()["items"] == []


@pytest.mark.parametrize("wrong", [*WRONG.values(), {"handle": b"0" * 16}], ids=[*WRONG, "another person's handle"])
async def test_what_was_signed_for_something_else_proves_nobody(client, nobody, phone, wrong):
    await register(client, phone)
    refused = await sign_in(nobody, phone, **wrong)
    assert (refused.status_code, refused.json()["code"]) == (422, "passkey-refused")


async def test_without_finger_or_pin_it_is_no_proof(client, nobody, phone):
    await register(client, phone)
    phone.is_verified = False
    assert (await sign_in(nobody, phone)).json()["code"] == "passkey-refused"
    assert (await register(client, Authenticator(ORIGIN, is_verified=False))).json()["code"] == "passkey-refused"


async def test_a_copied_key_is_found_by_its_count(client, nobody, phone):
    await register(client, phone)
    phone.count = 10
    assert (await sign_in(nobody, phone)).status_code == 200
    phone.count = 10  # counts to 11, as the real one did
    assert (await sign_in(nobody, phone)).status_code == 422
    assert (await sign_in(nobody, phone)).status_code == 200


async def test_keys_that_do_not_count_are_taken(client, nobody, phone):
    await register(client, phone)
    for _ in range(2):
        phone.count = -1
        assert (await sign_in(nobody, phone)).status_code == 200


async def test_what_was_signed_works_once(client, nobody, phone):
    await register(client, phone)
    options = (await nobody.post("/auth/passkeys/sign-in/options")).json()
    phone.count = -1  # of those that do not count
    body = {"credential": phone.get(options), "client": "app"}
    answers = await asyncio.gather(*(nobody.post("/auth/passkeys/sign-in", json=body) for _ in range(4)))
    assert sorted(answer.status_code for answer in answers) == [200, 422, 422, 422]


@pytest.mark.parametrize(("minutes", "status"), [(4, 200), (5, 422)])
async def test_what_is_asked_is_over_after_five_minutes(client, nobody, phone, minutes, status):
    now = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
    await register(client, phone)
    with time_machine.travel(now, tick=False):
        options = (await nobody.post("/auth/passkeys/sign-in/options")).json()
    with time_machine.travel(now + timedelta(minutes=minutes), tick=False):
        body = {"credential": phone.get(options), "client": "app"}
        assert (await nobody.post("/auth/passkeys/sign-in", json=body)).status_code == status


async def test_a_question_for_one_purpose_answers_no_other(client, nobody, phone, client_of, services, secrets):
    await register(client, phone)
    confirming = (await client.post("/auth/confirm/options")).json()
    body = {"credential": phone.get(confirming), "client": "app"}
    assert (await nobody.post("/auth/passkeys/sign-in", json=body)).status_code == 422
    signing = (await nobody.post("/auth/passkeys/sign-in/options")).json()
    assert (await client.post("/auth/confirm", json={"credential": phone.get(signing)})).status_code == 422
    other = await client_of(await make_person(services.database, secrets, email="binh@example.com"))
    options = (await client.post("/auth/passkeys/options")).json()
    made = {"name": "Phone", "credential": Authenticator(ORIGIN).create(options)}
    assert (await other.post("/auth/passkeys", json=made)).status_code == 422


async def test_the_passkey_of_another_person_confirms_nothing(client, phone, client_of, services, secrets):
    await register(client, phone)
    binh = await client_of(await make_person(services.database, secrets, email="binh@example.com"))
    theirs = Authenticator(ORIGIN)
    await register(binh, theirs)
    options = (await client.post("/auth/confirm/options")).json()
    body = {"credential": theirs.get({**options, "allowCredentials": []})}
    assert (await client.post("/auth/confirm", json=body)).json()["code"] == "passkey-refused"


async def test_a_passkey_is_kept_once(client, client_of, services, secrets, phone):
    options = (await client.post("/auth/passkeys/options")).json()
    credential = phone.create(options)
    assert (await client.post("/auth/passkeys", json={"name": "A", "credential": credential})).status_code == 201
    assert (await client.post("/auth/passkeys", json={"name": "A", "credential": credential})).status_code == 422


@pytest.mark.parametrize(
    "credential",
    [
        {},
        {"id": "", "response": {}},
        {"id": 7, "response": {"clientDataJSON": 7}},
        {"id": "AA", "response": {"clientDataJSON": "bm8="}},
        {"id": "AA", "response": []},
        {"id": "AA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiI_In0"}},
        {"id": "AA", "response": {"clientDataJSON": "eyJjaGFsbGVuZ2UiOiAiLy8vLyJ9"}},
        {"id": "\x01", "response": {"clientDataJSON": "W10"}},
    ],
)
async def test_what_is_no_credential_is_refused(client, nobody, credential):
    signed = await nobody.post("/auth/passkeys/sign-in", json={"credential": credential})
    added = await client.post("/auth/passkeys", json={"name": "A", "credential": credential})
    confirmed = await client.post("/auth/confirm", json={"credential": credential})
    assert [answer.status_code for answer in (signed, added, confirmed)] == [422, 422, 422]


@pytest.mark.parametrize("part", ["id", "authenticatorData", "signature", "clientDataJSON"])
async def test_a_changed_answer_is_refused_whatever_was_changed(client, nobody, phone, part):
    await register(client, phone)
    options = (await nobody.post("/auth/passkeys/sign-in/options")).json()
    credential = phone.get(options)
    place = credential if part == "id" else credential["response"]
    place[part] = place[part][:10] + ("A" if place[part][10] != "A" else "B") + place[part][11:]
    body = {"credential": credential, "client": "app"}
    assert (await nobody.post("/auth/passkeys/sign-in", json=body)).status_code == 422


async def test_adding_asks_for_a_fresh_proof(client_of, an):
    stale = await client_of(an, proved_at=datetime.now(UTC) - timedelta(minutes=11))
    refused = await stale.post("/auth/passkeys/options")
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")


async def test_who_was_erased_is_not_let_in(client, nobody, phone, services, an):
    await register(client, phone)
    async with services.database.begin() as work:
        await work.execute(
            "UPDATE person SET erased_at = now(), email = NULL, email_index = NULL WHERE id = %s", [an.id]
        )
    assert (await sign_in(nobody, phone)).status_code == 422


@pytest.mark.parametrize(
    ("base_url", "site"),
    [
        ("https://Tickets.Example", ("tickets.example", "https://tickets.example")),
        ("https://tickets.example:8443/", ("tickets.example", "https://tickets.example:8443")),
        ("http://localhost:8000", ("localhost", "http://localhost:8000")),
        ("http://127.0.0.1:8000", ("localhost", "http://localhost:8000")),
        ("http://[::1]:8000", ("localhost", "http://localhost:8000")),
        ("https://192.0.2.1", None),
    ],
)
def test_the_site_is_known_by_its_name(base_url, site):
    found = find_site(load_settings({"FAREBOX_BASE_URL": base_url}))
    assert (found and (found.rp_id, found.origin)) == site


async def test_the_pages_do_the_same_with_plain_forms(browser, an, phone, services):
    await sign_in_as(browser.client, an)
    assert "js/passkeys.js" in (await browser.get("/account/security/passkeys/new")).text
    options = (await browser.ask("/account/security/passkeys/options")).json()
    credential = json.dumps(phone.create(options))
    added = await browser.post("/account/security/passkeys/new", name=" My phone ", credential=credential)
    assert added.status_code == 200
    assert added.text.count("<li><code>") == 10
    browser.client.cookies.clear()
    options = (await browser.ask("/sign-in/passkey/options")).json()
    answer = await browser.post("/sign-in/passkey", credential=json.dumps(phone.get(options)), next="/account/bookings")
    assert (answer.status_code, path_of(answer)) == (303, "/account/bookings")
    actor = await services.sessions.authenticate(browser.client.cookies["farebox_session"])
    assert (actor.id, actor.proved) == (an.id, {"passkey"})


@pytest.mark.parametrize("credential", ["", "{}", "[]", "null", "[" * 5000])
async def test_a_form_without_a_passkey_is_told_so(browser, an, credential):
    told = await browser.post("/sign-in/passkey", credential=credential, next="//evil.example")
    assert told.status_code == 422
    assert "This passkey did not work" in told.text
    assert 'href="/sign-in"' in told.text
    await sign_in_as(browser.client, an)
    told = await browser.post("/account/security/passkeys/new", name="My phone", credential=credential)
    assert told.status_code == 422
    assert 'value="My phone"' in told.text


async def test_signing_in_ends_the_session_that_the_browser_had(browser, an, client, phone, services):
    await register(client, phone)
    before = await open_session_of(an)
    browser.client.cookies.set("farebox_session", before.token)
    options = (await browser.ask("/sign-in/passkey/options")).json()
    await browser.post("/sign-in/passkey", credential=json.dumps(phone.get(options)))
    tokens = {cookie.value for cookie in browser.client.cookies.jar if cookie.name == "farebox_session"}
    assert any(token != before.token for token in tokens)
    browser.client.cookies.clear()
    browser.client.cookies.set("farebox_session", before.token)
    gone = await browser.get("/account/security/passkeys/new")
    assert (gone.status_code, path_of(gone).partition("?")[0]) == (303, "/sign-in")
