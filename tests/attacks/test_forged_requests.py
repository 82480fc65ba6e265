"""Requests that another site makes a browser send: with its cookies, without the page's token."""

from tests.attacks.conftest import ask_all, filled, handlers_of
from tests.people import sign_in_as

WITHOUT_TOKEN = {"/language", "/unsubscribe/{token:str}"}
"""The first changes nothing but the language, and is on pages about errors too, which have no token. The second is
asked for by mail programs (RFC 8058), with a secret that was mailed.
"""

SAFE = {"GET", "HEAD"}


def pages(house):
    return [
        (method, path)
        for method, path, _ in handlers_of(house.app)
        if method not in SAFE and not path.startswith(("/api/", "/health", "/metrics"))
    ]


async def test_no_form_is_taken_without_its_pages_token(house, home):
    taken = []
    for method, path in pages(house):
        answer = await home.client.request(method, filled(path), data={"email": "evil@example.com"})
        if answer.status_code != 403 and path not in WITHOUT_TOKEN:
            taken.append((method, path, answer.status_code))
    assert taken == []
    assert len(pages(house)) > 30


async def test_control_with_the_token_forms_are_taken(house, home):
    refused = []
    for method, path in pages(house):
        if method == "POST" and path.startswith("/account") and "{" not in path:
            answer = await home.post(path)
            if answer.status_code == 403:
                refused.append(path)
    assert refused == []


async def test_the_token_of_another_browser_opens_no_form(visit, home):
    stranger = visit()
    token = await stranger.token()
    answer = await home.client.post("/account/profile", data={"_csrf_token": token, "first_name": "Eve"})
    assert answer.status_code == 403
    own, form = {"_csrf_token": await home.token()}, {"first_name": "Eve"}
    assert (await home.client.post("/account/profile", data=form, params=own)).status_code == 403
    home.client.cookies.set("_csrf_token", own["_csrf_token"], domain="127.0.0.1", path="/")
    assert (await home.client.post("/account/profile", data=form)).status_code == 403


async def test_a_token_that_we_did_not_sign_is_none(home):
    """Whoever can plant a cookie from a neighbouring host must not be able to make the pair."""
    made_up = "0" * 64 + "a" * 64
    home.client.cookies.set("farebox_csrf", made_up, domain="127.0.0.1", path="/")
    answer = await home.client.post("/account/profile", data={"_csrf_token": made_up, "first_name": "Eve"})
    assert answer.status_code == 403


async def test_a_cookie_alone_changes_nothing_through_the_api(house, visit, home, an):
    """Nor with a token that another browser has, or that nobody made: only a page of ours can read the right one."""
    before = await house.ask("SELECT md5(string_agg(p::text, '')) FROM person p")
    made_up = "0" * 64 + "a" * 64
    tokens: tuple[dict[str, str], ...] = (
        {},
        {"X-CSRFToken": await visit().token()},
        {"X-CSRFToken": made_up},
        {"X-CSRFToken": "é"},
        {"Origin": "null"},
    )
    await home.token()
    for method, path, handler in handlers_of(house.app):
        if method in SAFE or not path.startswith("/api/v1") or handler.opt["access"] in {"public", "internal"}:
            continue
        for headers in tokens:
            sent = {name: value.encode() for name, value in headers.items()}
            answer = await home.client.request(method, filled(path), json={}, headers=sent)
            assert answer.status_code in {400, 401}, (method, path, answer.text)
            if answer.status_code == 401:
                assert answer.json()["code"] == "credential-required", (method, path)
    for method, path, body in (
        ("PUT", "/users/profile", {"firstName": "Eve"}),
        ("DELETE", "/users/sessions", None),
        ("DELETE", "/users/me", None),
        ("POST", "/auth/change-password", {"currentPassword": an.password, "newPassword": "evil evil evil"}),
    ):
        assert (await home.client.request(method, f"/api/v1{path}", json=body)).status_code == 401, path
    assert await house.ask("SELECT md5(string_agg(p::text, '')) FROM person p") == before


async def test_control_a_page_of_ours_may_with_its_token(house, home):
    headers = {"X-CSRFToken": await home.token()}
    answer = await home.client.put("/api/v1/users/profile", json={"firstName": "Eva"}, headers=headers)
    assert (answer.status_code, await house.ask("SELECT first_name FROM person")) == (200, "Eva")


async def test_a_pair_of_cookie_and_token_that_we_did_not_make_opens_nothing(home):
    made_up = "0" * 64 + "a" * 64
    home.client.cookies.delete("farebox_csrf")
    home.client.cookies.set("farebox_csrf", made_up, domain="127.0.0.1", path="/")
    answer = await home.client.put("/api/v1/users/profile", json={"firstName": "Eve"}, headers={"X-CSRFToken": made_up})
    assert answer.status_code == 401


async def test_control_the_same_credential_in_the_header_does(house, home):
    token = home.client.cookies["farebox_session"]
    headers = {"Authorization": f"Bearer {token}"}
    answer = await home.client.put("/api/v1/users/profile", json={"firstName": "Eva"}, headers=headers)
    assert (answer.status_code, answer.json()["firstName"]) == (200, "Eva")


async def test_nobody_is_signed_out_by_the_api_for_their_cookie(house, visit, an):
    browser = visit()
    await sign_in_as(browser.client, an)
    assert (await browser.client.post("/api/v1/auth/logout")).is_success
    assert (await browser.get("/account")).status_code == 200


async def test_a_form_of_another_site_cannot_write_through_the_api(house, home):
    """What a form can send without asking first: text, and forms. With a bearer it could not send either."""
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        answer = await home.client.put(
            "/api/v1/users/profile", content='{"firstName": "Eve"}', headers={"Content-Type": kind}
        )
        assert answer.status_code == 401
    assert await house.ask("SELECT first_name FROM person") == "An"


async def test_reading_changes_nothing(house, home):
    """Links are followed by programs, and pictures can point to them."""
    tables = ("person", "person_session", "factor", "booking", "membership", "api_key", "device")

    async def state():
        parts = [
            await ask_all(
                house, f"SELECT md5(string_agg((to_jsonb(t) - 'used_at' - 'expires_at')::text, '|')) FROM {name} t"
            )
            for name in tables
        ]
        return dict(zip(tables, parts, strict=True))

    before = await state()
    for method, path, _ in handlers_of(house.app):
        if method == "GET" and "sse" not in path and not path.startswith("/auth/"):
            await home.get(filled(path))
    assert await state() == before
