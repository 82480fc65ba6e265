"""What people type becomes text, on every page and in every mail that shows it."""

import json
import re
from datetime import timedelta
from urllib.parse import quote

import pyotp
import pytest
from tests.attacks.conftest import LURE, PROVED, filled, foreign_in, handlers_of
from tests.people import open_session_of, sign_in_as
from tests.staff import make_operator

from farebox.accounts import (
    SYSTEM,
    Permission,
    add_member,
    begin_totp,
    confirm_totp,
    get_operator,
    invite,
    make_device,
    make_key,
    upsert_operator,
)
from farebox.accounts.people_models import FactorRow, IdentityRow


def test_control_a_page_that_showed_it_as_it_is_would_be_seen():
    assert foreign_in(f'<input value="{LURE}">')
    assert foreign_in(f"<p>{LURE}</p>")
    assert foreign_in('<a href="java\tscript:alert(1)">x</a>')
    assert foreign_in("<p>'4949</p>")
    assert foreign_in('<p onmouseover="x">')
    assert not foreign_in("<p>&#34;&gt;&lt;img src=x onerror=alert(1)&gt; {{7*7}}</p><script src='/a.js'></script>")


@pytest.fixture
async def ids(house, box, an):
    """Things of An's, each named as badly as the tables can hold; past the doors, which refuse some of it."""
    services = house.services
    secrets = services.secrets
    lines = await make_operator(services.database, secrets, "truong-son")
    async with services.database.begin(reach="*") as work:
        await upsert_operator(work, code="truong-son", name=LURE, timezone="Asia/Ho_Chi_Minh", currency="VND")
        assert (await get_operator(work, lines.id)).name == LURE
        await add_member(work, lines.id, an.id, "operator_admin", invited_by=None)
        key, _ = await make_key(
            work,
            lines.id,
            name=LURE[:100],
            scopes=frozenset({Permission.BOOKINGS_READ}),
            lasts=timedelta(days=9),
            actor=SYSTEM,
        )
        device, _ = await make_device(work, lines.id, name=LURE[:100], actor=SYSTEM)
        invitation = await invite(
            work, lines.id, "binh@example.com", "agent", actor=SYSTEM, secrets=secrets, language="en"
        )
        setup = await begin_totp(work, an.id, LURE, account=an.email, secrets=secrets)
        await confirm_totp(work, an.id, setup.factor_id, pyotp.TOTP(setup.secret).at(house.clock.now), secrets=secrets)
        waiting = await begin_totp(work, an.id, LURE, account=an.email, secrets=secrets)
        work.session.add(
            IdentityRow(
                issuer="https://id.example",
                subject=LURE,
                person_id=an.id,
                provider=LURE[:40],
                email=secrets.encrypt(f"{LURE}@example.com", place="identity.email"),
                created_at=work.now,
                used_at=work.now,
            )
        )
        await work.session.flush()
        assert await work.session.get(FactorRow, setup.factor_id)
    session = await open_session_of(an, proved=PROVED, device=LURE, place=LURE)
    booking = await box.book(an.actor, await box.hold(an.actor, await box.show()))
    preferences = {"interests": [LURE[:60]], "dietary_restrictions": [LURE[:60]], "favorite_destinations": []}
    async with services.database.begin(reach="*") as work:
        await work.execute(
            "UPDATE person SET first_name = %s, last_name = %s, preferences = %s::jsonb",
            (LURE, LURE, json.dumps(preferences)),
        )
        await work.execute("UPDATE booking_passenger SET full_name = %s", (LURE,))
        await work.execute(
            "UPDATE booking_item SET description = jsonb_set(description, '{title}', to_jsonb(%s::text))", (LURE,)
        )
    identities = (await house.client(session.token).get("http://127.0.0.1:8000/api/v1/auth/identities")).json()
    return {
        "operator_id": lines.id,
        "key_id": key.id,
        "device_id": device.id,
        "invitation_id": invitation.id,
        "factor_id": setup.factor_id,
        "waiting": waiting.factor_id,
        "session_id": session.id,
        "identity_id": identities["items"][0]["identityId"],
        "booking_id": booking.id,
        "person_id": an.id,
    }


async def test_no_page_runs_what_somebody_typed(house, home, an, ids):
    shown, foreign = set(), []
    for language in ("en", "vi"):
        for method, path, _ in handlers_of(house.app):
            if method != "GET" or path.startswith(("/api/", "/health", "/metrics", "/static")) or "mailbox" in path:
                continue
            for factor in ("factor_id", "waiting") if "factor_id" in path else ("factor_id",):
                answer = await home.get(filled(path, **(ids | {"factor_id": ids[factor]})), params={"lang": language})
                assert answer.status_code < 500, (path, answer.status_code)
                if "text/html" in answer.headers.get("content-type", ""):
                    foreign += [(path, each) for each in foreign_in(answer.text)]
                    if "alert(1)" in answer.text:
                        shown.add(path)
    assert foreign == []
    operators = "/console/{operator_id:uuid}"
    assert {  # the control: these do show it
        "/account",
        "/account/profile",
        "/account/security",
        "/bookings/{booking_id:uuid}",
        "/account/security/factors/{factor_id:uuid}",
        operators,
        f"{operators}/staff",
        f"{operators}/keys",
        f"{operators}/devices",
    } <= shown


async def test_no_form_that_is_shown_again_runs_what_was_typed(house, home, an):
    """Refused forms come back as they were typed."""
    foreign = []
    for method, path, _ in handlers_of(house.app):
        if method != "POST" or path.startswith("/api/") or "{" in path or path == "/language":
            continue
        names = ("email", "password", "name", "first_name", "last_name", "phone", "birth_date", "next", "token", "code")
        form = dict.fromkeys((*names, "reference", "contact", "interests", "current", "credential", "role"), LURE)
        answer = await home.post(path, **form)
        assert answer.status_code < 500, path
        if "text/html" in answer.headers.get("content-type", ""):
            foreign += [(path, each) for each in foreign_in(answer.text)]
    assert foreign == []


async def test_no_address_that_somebody_is_sent_runs_anything(house, home, an, ids):
    """What a link carries is shown on the page that it leads to."""
    foreign = []
    names = ("q", "next", "back", "from", "to", "date", "token", "reference", "status", "done", "said", "lang", "sort")
    for method, path, _ in handlers_of(house.app):
        if method != "GET" or path.startswith(("/api/", "/health", "/metrics", "/static", "/auth/")):
            continue
        for way in ({"params": dict.fromkeys(names, LURE)}, {"params": dict.fromkeys((*names, LURE), LURE)}):
            answer = await home.get(filled(path, **ids), **way)
            assert answer.status_code < 500, path
            if "text/html" in answer.headers.get("content-type", ""):
                foreign += [(path, each) for each in foreign_in(answer.text)]
    answer = await home.get(f"/{quote(LURE)}")
    assert (answer.status_code, foreign_in(answer.text)) == (404, [])
    assert foreign == []


async def test_what_the_api_tells_no_browser_takes_for_a_page(house, an, ids):
    program = house.client((await open_session_of(an, proved=PROVED)).token, Accept="text/html")
    for method, path, _ in handlers_of(house.app):
        if method != "GET" or not path.startswith("/api/v1") or "sse" in path:
            continue
        answer = await program.get(f"http://127.0.0.1:8000{filled(path, **ids)}", params={"q": LURE})
        kind = answer.headers.get("content-type", "")
        assert "html" not in kind or foreign_in(answer.text) == [], path
        if answer.content:
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_no_mail_runs_or_forwards_what_somebody_typed(house, visit, home, an, ids):
    """Names, devices and operators, in the mails about accounts and invitations."""
    device = "Mozilla/5.0 (X11; Linux) " + LURE + "\\r\\nBcc: evil@example.com"
    stranger = visit(None, **{"User-Agent": device})
    await stranger.post("/sign-in", email=an.email, password=an.password)
    await home.post(f"/console/{ids['operator_id']}/staff/invite", email="chi@example.com", role="agent")
    await stranger.post("/forgot-password", email=an.email)
    mails = await house.mails()
    assert {"staff-invited", "reset-password"} <= {str(mail.kind) for mail in mails}
    for mail in mails:
        assert foreign_in(mail.html) == [], mail.kind
        assert not set("\r\n") & set(mail.subject + mail.recipient)
    assert any("alert(1)" in mail.html for mail in mails)  # the control


async def test_nobody_writes_headers_into_mails(house, browser):
    for wrong in (
        "an@example.com\r\nBcc: evil@example.com",
        "an@example.com\nBcc: evil@example.com",
        "an@example.com%0aBcc: evil@example.com",
        "an@example.com,evil@example.com",
        "an@example.com evil@example.com",
        "<an@example.com> evil@example.com",
        "an@example.com\x00@evil.example",
        '"an@example.com\r\n"@evil.example',
    ):
        for path, body in (
            ("/register", {"email": wrong, "password": "green coach over the bridge"}),
            ("/forgot-password", {"email": wrong}),
            ("/resend-verification", {"email": wrong}),
        ):
            answer = await house.client().post(path, json=body)
            assert answer.status_code in {202, 400, 422}, (path, wrong, answer.text)
    assert await house.mails() == []
    names = {"firstName": "An\r\nBcc: evil@example.com", "lastName": "Nguyễn\n\nEvil"}
    answer = await house.client().post(
        "/register", json={"email": "an@example.com", "password": "green coach over the bridge", **names}
    )
    assert answer.status_code == 422


async def test_an_operators_name_is_one_line_of_a_mail(house, an):
    """It comes from a timetable, whoever wrote that; and it is in the subject of invitations."""
    lines = await make_operator(house.services.database, house.services.secrets, "truong-son")
    async with house.services.database.begin(reach="*") as work:
        await work.execute("UPDATE operator SET name = %s", ("Lines\r\nBcc: evil@example.com\r\n\r\nBody",))
        await invite(
            work,
            lines.id,
            "binh@example.com",
            "agent",
            actor=SYSTEM,
            secrets=house.services.secrets,
            language="en",
        )
    [mail] = await house.mails()
    assert not set("\r\n") & set(mail.subject)


async def test_names_that_are_none_are_refused_at_the_doors(house, home, an):
    for name in ("<script>alert(1)</script>", LURE, "{{7*7}}", "${7*7}", "javascript:alert(1)", "An\u202eevil"):
        answer = await home.post("/account/profile", first_name=name, last_name="Nguyễn")
        assert answer.status_code == 422, name
        assert foreign_in(answer.text) == []
    assert await house.ask("SELECT first_name FROM person") == "An"


async def test_every_page_forbids_scripts_that_it_did_not_write(house, home, visit, an):
    """The last line: with all else failing, the browser itself would not run it."""
    for path in ("/", "/account", "/account/security", "/sign-in", "/nowhere", "/account/profile"):
        answer = await home.get(path)
        policy = answer.headers["content-security-policy"]
        assert "'unsafe-inline'" not in policy
        assert "'unsafe-eval'" not in policy
        assert "object-src 'none'" in policy
        assert "base-uri 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert re.search(r"script-src 'nonce-[\w-]{20,}'", policy) or "default-src 'self'" in policy
        assert not re.search(r"<script(?![^>]*(nonce=|type=\"application/json\"))", answer.text), path
    guest = visit()
    await sign_in_as(guest.client, an)
    policies = [(await guest.get("/")).headers["content-security-policy"] for _ in range(2)]
    nonces = {nonce for policy in policies for nonce in re.findall(r"'nonce-([\w-]+)'", policy)}
    assert len(nonces) == 2
