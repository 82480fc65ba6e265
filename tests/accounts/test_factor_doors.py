"""Second factors and proving anew, through the API and the pages."""

import re
from datetime import UTC, datetime, timedelta

import httpx
import pyotp
import pytest
import time_machine
from tests.accounts.browser import Browser, path_of
from tests.apps import app_of
from tests.people import PASSWORD, make_person, sign_in_as

NOON = datetime(2026, 11, 20, 12, 0, 10, tzinfo=UTC)
SECURITY = "/account/security"


@pytest.fixture(autouse=True)
def noon():
    with time_machine.travel(NOON, tick=False):
        yield


@pytest.fixture
async def visit(services):
    app = app_of(services)
    clients = []

    def open_browser():
        clients.append(
            httpx.AsyncClient(
                transport=httpx.ASGITransport(app, raise_app_exceptions=False), base_url=services.settings.base_url
            )
        )
        return Browser(clients[-1])

    yield open_browser
    for client in clients:
        await client.aclose()


@pytest.fixture
def browser(visit):
    return visit()


async def set_up(client, at=NOON):
    """An authenticator app of the API's caller; its secret and the recovery codes."""
    setup = (await client.post("/auth/factors/totp", json={"name": "Phone"})).json()
    code = pyotp.TOTP(setup["secret"]).at(at)
    confirmed = await client.post(f"/auth/factors/totp/{setup['factorId']}/confirm", json={"code": code})
    assert confirmed.status_code == 200, confirmed.text
    return setup["factorId"], setup["secret"], confirmed.json()["recoveryCodes"]


def code_of(secret, steps=1):
    return pyotp.TOTP(secret).at(NOON + steps * timedelta(seconds=30))


async def test_an_app_is_set_up_listed_renamed_and_removed(client):
    assert (await client.get("/auth/factors")).json() == {"items": [], "recoveryCodesLeft": 0, "isRequired": False}
    factor_id, _, codes = await set_up(client)
    assert len(codes) == 10
    listed = (await client.get("/auth/factors")).json()
    [item] = listed["items"]
    assert (item["factorId"], item["kind"], item["name"], item["usedAt"]) == (factor_id, "totp", "Phone", None)
    assert listed["recoveryCodesLeft"] == 10
    renamed = await client.patch(f"/auth/factors/{factor_id}", json={"name": "Old phone"})
    assert renamed.json()["name"] == "Old phone"
    assert (await client.delete(f"/auth/factors/{factor_id}")).status_code == 204
    assert (await client.get("/auth/factors")).json()["items"] == []


async def test_a_wrong_first_code_turns_nothing_on(client):
    setup = (await client.post("/auth/factors/totp", json={"name": "Phone"})).json()
    wrong = await client.post(f"/auth/factors/totp/{setup['factorId']}/confirm", json={"code": "000000"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong-code")
    assert (await client.get("/auth/factors")).json()["items"] == []


async def test_nobody_reaches_the_factors_of_somebody_else(client, client_of, services, secrets):
    factor_id, _, _ = await set_up(client)
    other = await client_of(await make_person(services.database, secrets, email="binh@example.com"))
    for answer in (
        await other.patch(f"/auth/factors/{factor_id}", json={"name": "Mine"}),
        await other.delete(f"/auth/factors/{factor_id}"),
        await other.post(f"/auth/factors/totp/{factor_id}/confirm", json={"code": "123456"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (404, "factor-not-found")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/auth/factors/totp", {"name": "Phone"}),
        ("DELETE", "/auth/factors/0199aa00-0000-7000-8000-000000000000", None),
        ("POST", "/auth/recovery-codes", None),
        ("POST", "/auth/passkeys/options", None),
        ("POST", "/auth/passkeys", {"name": "Phone", "credential": {}}),
        ("DELETE", "/auth/identities/x", None),
    ],
)
async def test_what_changes_how_one_signs_in_asks_for_a_fresh_proof(client_of, an, method, path, body):
    stale = await client_of(an, proved_at=NOON - timedelta(minutes=11))
    refused = await stale.request(method, path, json=body)
    assert (refused.status_code, refused.json()["code"]) == (403, "step-up-required")
    fresh = await client_of(an, proved_at=NOON - timedelta(minutes=9))
    assert (await fresh.request(method, path, json=body)).json().get("code") != "step-up-required"


async def test_a_password_is_proof_again_for_who_has_nothing_more(client_of, an):
    stale = await client_of(an, proved_at=NOON - timedelta(hours=1))
    assert (await stale.get("/auth/confirm")).json() == {"proofs": ["password"]}
    wrong = await stale.post("/auth/confirm", json={"password": "not mine at all"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid-credentials")
    assert (await stale.post("/auth/recovery-codes")).json()["code"] == "step-up-required"
    assert (await stale.post("/auth/confirm", json={"password": PASSWORD})).json() == {"proof": "password"}
    assert (await stale.post("/auth/factors/totp", json={"name": "Phone"})).status_code == 201


async def test_who_has_a_second_factor_confirms_with_it_only(client, client_of, an):
    _, secret, codes = await set_up(client, NOON - timedelta(seconds=30))
    stale = await client_of(an, proved_at=NOON - timedelta(hours=1), proved=["password", "totp"])
    assert (await stale.get("/auth/confirm")).json() == {"proofs": ["recovery-code", "totp"]}
    refused = await stale.post("/auth/confirm", json={"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (409, "proof-not-accepted")
    code = code_of(secret, 0)
    assert (await stale.post("/auth/confirm", json={"code": code})).json() == {"proof": "totp"}
    assert (await stale.post("/auth/confirm", json={"code": code})).json()["code"] == "wrong-code"
    assert (await stale.post("/auth/confirm", json={"code": codes[0]})).json() == {"proof": "recovery-code"}


async def test_a_fresh_password_is_no_fresh_proof_for_who_has_a_second_factor(client, client_of, an):
    await set_up(client)
    by_password = await client_of(an, proved=["password"], proved_at=NOON)
    assert (await by_password.post("/auth/recovery-codes")).json()["code"] == "step-up-required"


async def test_wrong_codes_close_the_account_to_codes_whichever_session_they_come_from(client, client_of, an):
    _, secret, _ = await set_up(client)
    sessions = [await client_of(an), await client_of(an)]
    for number in range(10):
        other = sessions[number % 2]
        assert (await other.post("/auth/confirm", json={"code": "000000"})).json()["code"] == "wrong-code"
    closed = await client.post("/auth/confirm", json={"code": code_of(secret)})
    assert (closed.status_code, closed.json()["code"]) == (429, "too-many-attempts")
    assert closed.headers["retry-after"] == "900"
    with time_machine.travel(NOON + timedelta(minutes=15), tick=False):
        later = pyotp.TOTP(secret).at(NOON + timedelta(minutes=15))
        assert (await client.post("/auth/confirm", json={"code": later})).status_code == 200


@pytest.mark.parametrize("body", [{}, {"password": "a", "code": "b"}, {"code": "1", "credential": {}}])
async def test_one_proof_is_given_at_a_time(client, body):
    refused = await client.post("/auth/confirm", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, "one-proof")


@pytest.mark.parametrize("body", [{"code": 123456}, {"password": None, "more": 1}, {"credential": "x"}, []])
async def test_wrong_types_are_400(client, body):
    assert (await client.post("/auth/confirm", json=body)).status_code == 400


async def test_sign_in_asks_for_the_second_factor_five_times_at_most(client, client_of, an):
    _, secret, _ = await set_up(client)
    nobody = await client_of()
    first = await nobody.post("/auth/login", json={"email": an.email, "password": PASSWORD, "client": "app"})
    assert (first.status_code, first.json()["code"]) == (401, "second-factor-required")
    assert first.json()["factors"] == ["recovery-code", "totp"]
    challenge = {"challengeToken": first.json()["challengeToken"], "client": "app"}
    for _ in range(5):
        wrong = await nobody.post("/auth/login/second-factor", json={**challenge, "code": "000000"})
        assert wrong.json()["code"] == "wrong-code"
    over = await nobody.post("/auth/login/second-factor", json={**challenge, "code": code_of(secret)})
    assert over.json()["code"] == "challenge-expired"
    again = await nobody.post("/auth/login", json={"email": an.email, "password": PASSWORD, "client": "app"})
    challenge["challengeToken"] = again.json()["challengeToken"]
    done = await nobody.post("/auth/login/second-factor", json={**challenge, "code": code_of(secret)})
    assert done.status_code == 200, done.text


async def test_an_admin_keeps_the_last_factor(client_of, services, secrets):
    root = await make_person(services.database, secrets, email="root@example.com", roles=("user", "admin"))
    admin = await client_of(root)
    factor_id, _, _ = await set_up(admin)
    assert (await admin.get("/auth/factors")).json()["isRequired"] is True
    refused = await admin.delete(f"/auth/factors/{factor_id}")
    assert (refused.status_code, refused.json()["code"]) == (409, "factor-needed")


async def test_the_pages_set_an_app_up_without_scripts(browser, an):
    await sign_in_as(browser.client, an)
    assert (await browser.get(f"{SECURITY}/authenticator")).status_code == 200
    begun = await browser.post(f"{SECURITY}/authenticator", name="  ")
    url = path_of(begun)
    shown = (await browser.get(url)).text
    assert "<svg" in shown
    assert "http" not in re.findall(r'<img[^>]*src="([^"]*)"', shown)
    found = re.search(r'id="totp-key">([A-Z2-7 ]+)<', shown)
    assert found
    secret = found[1].replace(" ", "")
    wrong = await browser.post(url, code="000000")
    assert (wrong.status_code, "This code is not right" in wrong.text) == (422, True)
    done = await browser.post(url, code=pyotp.TOTP(secret).at(NOON))
    assert done.status_code == 200
    assert done.headers["cache-control"] == "no-store"
    assert len(re.findall(r"<li><code>[0-9a-z]{5}-[0-9a-z]{5}</code>", done.text)) == 10
    assert (await browser.get(url)).status_code == 404  # the secret is not shown again


async def test_the_pages_rename_and_remove_a_factor(browser, an, client):
    factor_id, _, _ = await set_up(client)
    url = f"{SECURITY}/factors/{factor_id}"
    await sign_in_as(browser.client, an, proved=["password", "totp"])
    assert 'value="Phone"' in (await browser.get(url)).text
    assert (await browser.post(url, name=" ")).status_code == 422
    assert path_of(await browser.post(url, name="Old phone")) == SECURITY
    asked = await browser.get(f"{url}/remove")
    assert "Remove “Old phone”?" in asked.text
    assert "your last one" in asked.text
    assert path_of(await browser.post(f"{url}/remove")) == SECURITY
    assert (await browser.get(url)).status_code == 404


async def test_the_pages_make_new_recovery_codes(browser, an, client):
    _, _, old = await set_up(client)
    await sign_in_as(browser.client, an, proved=["password", "totp"])
    assert "Those that you have stop working" in (await browser.get(f"{SECURITY}/recovery-codes")).text
    made = await browser.post(f"{SECURITY}/recovery-codes")
    assert made.text.count("<li><code>") == 10
    assert (await client.post("/auth/confirm", json={"code": old[0]})).json()["code"] == "wrong-code"


async def test_a_page_that_asks_for_a_fresh_proof_goes_on_after_it(browser, an):
    await sign_in_as(browser.client, an, proved_at=NOON - timedelta(hours=1))
    sent = await browser.get(f"{SECURITY}/authenticator")
    assert (sent.status_code, path_of(sent)) == (303, "/account/confirm?next=%2Faccount%2Fsecurity%2Fauthenticator")
    asked = await browser.get(path_of(sent))
    assert 'type="password"' in asked.text
    assert 'name="code"' not in asked.text
    wrong = await browser.post("/account/confirm", password="not mine", next=f"{SECURITY}/authenticator")
    assert (wrong.status_code, "This is not your password." in wrong.text) == (422, True)
    assert f'value="{SECURITY}/authenticator"' in wrong.text
    done = await browser.post("/account/confirm", password=PASSWORD, next=f"{SECURITY}/authenticator")
    assert path_of(done) == f"{SECURITY}/authenticator"
    assert (await browser.get(f"{SECURITY}/authenticator")).status_code == 200


async def test_the_page_asks_who_has_a_factor_for_it_and_not_for_the_password(browser, an, client):
    _, secret, _ = await set_up(client)
    await sign_in_as(browser.client, an, proved=["password", "totp"], proved_at=NOON - timedelta(hours=1))
    asked = await browser.get("/account/confirm")
    assert 'name="code"' in asked.text
    assert 'type="password"' not in asked.text
    assert (await browser.post("/account/confirm", code="000000")).status_code == 422
    done = await browser.post("/account/confirm", code=code_of(secret), next="https://evil.example")
    assert path_of(done) == SECURITY


async def test_a_form_sent_from_a_stale_page_comes_back_to_that_page(browser, an):
    await sign_in_as(browser.client, an, proved_at=NOON - timedelta(hours=1))
    token = await browser.token()
    page = "http://127.0.0.1:8000/account/security?tab=factors"
    sent = await browser.client.post(
        f"{SECURITY}/authenticator", data={"_csrf_token": token}, headers={"Referer": page}
    )
    assert path_of(sent) == "/account/confirm?next=%2Faccount%2Fsecurity%3Ftab%3Dfactors"
    evil = await browser.client.post(
        f"{SECURITY}/authenticator", data={"_csrf_token": token}, headers={"Referer": "https://evil.example/x"}
    )
    assert path_of(evil) == "/account/confirm?next=%2Faccount%2Fsecurity%2Fauthenticator"


async def test_the_pages_speak_vietnamese(browser, an):
    await sign_in_as(browser.client, an)
    shown = await browser.get(f"{SECURITY}/authenticator", headers={"Accept-Language": "vi"})
    assert "Thêm ứng dụng xác thực" in shown.text
