"""Credentials and links that come a second time, at another door, or from somebody else."""

import asyncio
import json

import jwt
import pyotp
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import OKPAlgorithm
from tests.people import make_person, open_session_of, sign_in_as
from tests.signing.conftest import EMAIL, PASSWORD, token_of

from farebox.accounts import begin_totp, confirm_totp
from farebox.bookings import request_lookup
from farebox.core.crypto import new_token

NEW = "another long password"


async def mailed(house, wish, body):
    answer = await house.client().post(wish, json=body)
    assert answer.status_code == 202, answer.text
    return token_of((await house.mails())[-1])


async def with_app(house, person):
    """A second factor of theirs."""
    async with house.services.database.begin() as work:
        setup = await begin_totp(work, person.id, "Phone", account=person.email, secrets=house.services.secrets)
        codes = await confirm_totp(
            work,
            person.id,
            setup.factor_id,
            pyotp.TOTP(setup.secret).at(house.clock.now),
            secrets=house.services.secrets,
        )
    house.clock.turn(seconds=60)
    return pyotp.TOTP(setup.secret), codes


async def test_a_mailed_link_works_once_however_many_come_with_it(house, an):
    token = await mailed(house, "/forgot-password", {"email": an.email})
    answers = await asyncio.gather(
        *(
            house.client().post("/reset-password", json={"token": token, "newPassword": f"{NEW} {number}"})
            for number in range(5)
        )
    )
    assert sorted(answer.status_code for answer in answers) == [204, 410, 410, 410, 410]


async def test_a_link_for_one_purpose_opens_no_other_door(house, an):
    register = {"email": "binh@example.com", "password": PASSWORD}
    tokens = {
        "/reset-password": await mailed(house, "/forgot-password", {"email": an.email}),
        "/verify-email": await mailed(house, "/register", register),
    }
    doors = {
        "/verify-email": {},
        "/reset-password": {"newPassword": NEW},
        "/change-email/confirm": {},
    }
    for made_for, token in tokens.items():
        for door, more in doors.items():
            if door != made_for:
                answer = await house.client().post(door, json={"token": token, **more})
                assert (answer.status_code, answer.json()["code"]) == (410, "link-expired"), (made_for, door)
        answer = await house.client(token).get("/me")
        assert answer.status_code == 401
    for door, token in tokens.items():  # the control: each opens its own afterwards
        answer = await house.client().post(door, json={"token": token, **doors[door]})
        assert answer.status_code in {200, 204}, answer.text


async def test_a_newer_password_voids_links_that_are_still_on_their_way(house, an):
    first = await mailed(house, "/forgot-password", {"email": an.email})
    second = await mailed(house, "/forgot-password", {"email": an.email})
    assert (await house.client().post("/reset-password", json={"token": second, "newPassword": NEW})).status_code == 204
    answer = await house.client().post("/reset-password", json={"token": first, "newPassword": "evil evil evil"})
    assert answer.status_code == 410


async def test_a_link_to_another_address_is_void_once_the_password_was_reset(house, visit, an):
    """Who had taken over the session must not keep the account by a change that still waits."""
    thief = visit()
    await sign_in_as(thief.client, an)
    await thief.post("/account/email", email="thief@example.com", current=an.password)
    links = {mail.recipient: token_of(mail) for mail in await house.mails() if "token=" in mail.text}
    reset = await mailed(house, "/forgot-password", {"email": an.email})
    assert (await house.client().post("/reset-password", json={"token": reset, "newPassword": NEW})).status_code == 204
    for link in links.values():
        assert (await house.client().post("/change-email/confirm", json={"token": link})).status_code == 410


async def test_the_first_step_of_two_opens_nothing(house, visit, an):
    await with_app(house, an)
    browser = visit()
    answer = await browser.post("/sign-in", email=an.email, password=an.password)
    assert answer.headers["location"].startswith("/sign-in/code")
    challenge = browser.client.cookies["farebox_challenge"]
    assert "farebox_session" not in browser.client.cookies
    for name in ("farebox_session", "farebox_booking"):
        other = visit()
        other.client.cookies.set(name, challenge)
        assert (await other.get("/account")).status_code == 303
    assert (await house.client(challenge).get("/me")).status_code == 401


async def test_a_finished_second_step_cannot_be_taken_again(house, an):
    app, codes = await with_app(house, an)
    challenge = (await house.login(an.email, an.password)).json()["challengeToken"]
    body = {"challengeToken": challenge, "code": app.at(house.clock.now), "client": "app"}
    assert (await house.client().post("/login/second-factor", json=body)).status_code == 200
    for code in (app.at(house.clock.now), codes[0]):
        answer = await house.client().post("/login/second-factor", json=body | {"code": code})
        assert (answer.status_code, answer.json()["code"]) == (410, "challenge-expired")


async def test_a_code_that_was_seen_over_the_shoulder_is_of_no_use(house, an):
    """The thief knows the password too, and begins a sign-in of their own."""
    app, _ = await with_app(house, an)
    code = app.at(house.clock.now)
    for expected in (200, 422):
        challenge = (await house.login(an.email, an.password)).json()["challengeToken"]
        answer = await house.client().post("/login/second-factor", json={"challengeToken": challenge, "code": code})
        assert answer.status_code == expected, answer.text


async def test_a_refresh_token_that_was_copied_ends_its_session_for_both(house, an):
    first = await house.tokens(email=an.email, password=an.password)
    body = {"refreshToken": first["refreshToken"]}
    second = (await house.client().post("/refresh", json=body)).json()
    assert (await house.client(second["accessToken"]).get("/me")).status_code == 200
    assert (await house.client().post("/refresh", json=body)).status_code == 401
    for token in (first["accessToken"], second["accessToken"]):
        assert (await house.client(token).get("/me")).status_code == 401
    assert (await house.client().post("/refresh", json={"refreshToken": second["refreshToken"]})).status_code == 401


async def test_a_write_sent_again_with_a_newer_token_is_not_done_again(house, an):
    """A key is its sender's, whatever token they have by now."""
    tokens = await house.tokens(email=an.email, password=an.password)
    newer = (await house.client().post("/refresh", json={"refreshToken": tokens["refreshToken"]})).json()
    binh = await make_person(house.services.database, house.services.secrets, email="binh@example.com")
    theirs = await house.tokens(email=binh.email, password=binh.password)
    url = f"{house.services.settings.base_url}/api/v1/users/preferences"
    replayed = []
    for token in (tokens, newer, theirs):
        client = house.client(token["accessToken"], **{"Idempotency-Key": "k"})
        answer = await client.put(url, json={"interests": ["food"]})
        assert answer.status_code == 200, answer.text
        replayed.append("idempotency-replayed" in answer.headers)
    assert replayed == [False, True, False]


async def test_of_many_refreshes_with_one_token_at_once_nobody_stays(house, an):
    tokens = await house.tokens(email=an.email, password=an.password)
    body = {"refreshToken": tokens["refreshToken"]}
    answers = await asyncio.gather(*(house.client().post("/refresh", json=body) for _ in range(6)))
    assert [answer.status_code for answer in answers].count(200) <= 1
    assert await house.running() == 0


async def test_no_kind_of_token_is_taken_for_another(house, visit, an):
    tokens = await house.tokens(email=an.email, password=an.password)
    session = (
        await open_session_of(an, created_at=house.clock.now, expires_at=house.clock.now.replace(year=2027))
    ).token
    assert (await house.client(session).get("/me")).status_code == 200  # the control
    secret = session.partition("_")[2]
    refresh = tokens["refreshToken"]
    for wrong in (
        refresh,
        f"fbs_{refresh.partition('_')[2]}",
        *(f"{prefix}_{secret}" for prefix in ("fbg", "fbb", "fbk", "fbd", "fbr", "fbc", "fbl", "")),
        secret,
        session.upper(),
        session + "\x00",
        f"{session} ",
        new_token("fbs"),
    ):
        client = visit()
        client.client.cookies.set("farebox_session", wrong.strip() if wrong != f"{session} " else new_token("fbs"))
        assert (await client.get("/account")).status_code in {302, 303}, wrong[:8]
        if wrong.isprintable() and wrong.strip() == wrong:
            assert (await house.client(wrong).get("/me")).status_code == 401, wrong[:8]
    for wrong in (session, tokens["accessToken"], f"fbr_{secret}"):
        assert (await house.client().post("/refresh", json={"refreshToken": wrong})).status_code in {400, 401}


async def test_a_planted_session_is_worth_nothing_once_its_victim_has_signed_in(house, visit, an):
    """Session fixation: somebody puts a session that they know into the browser of their victim."""
    thief = visit()
    await house.register("thief@example.com")
    await thief.post("/sign-in", email="thief@example.com", password=PASSWORD)
    planted = thief.client.cookies["farebox_session"]
    victim = visit()
    victim.client.cookies.set("farebox_session", planted, domain="127.0.0.1")
    assert (await victim.post("/sign-in", email=an.email, password=an.password)).status_code == 303
    assert victim.client.cookies["farebox_session"] != planted
    assert (await thief.get("/account")).status_code == 303
    assert an.email in (await victim.get("/account/profile")).text


async def test_a_planted_visit_is_worth_nothing_either(house, visit, an):
    guest = (await house.client().post("http://127.0.0.1:8000/api/v1/guest-sessions")).json()["guestToken"]
    assert (await house.client(guest).get("http://127.0.0.1:8000/api/v1/bookings")).status_code == 200
    victim = visit()
    victim.client.cookies.set("farebox_session", guest, domain="127.0.0.1")
    await victim.post("/sign-in", email=an.email, password=an.password)
    assert (await house.client(guest).get("http://127.0.0.1:8000/api/v1/bookings")).status_code == 401


async def test_the_name_of_a_key_leads_nowhere_else(house, an):
    """A file that is empty everywhere, or a row that a statement was made to find, would sign for anybody."""
    tokens = await house.tokens(email=an.email, password=an.password)
    claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False})
    for kid in ("../../dev/null", "' OR 1=1 --", "' UNION SELECT 'x", "", "x" * 5000, "\x00", "%s", "file:///dev/null"):
        for key in (b"\x00", b"x", b"x" * 64):
            forged = jwt.encode(claims, key, "HS256", headers={"kid": kid})
            assert (await house.client(forged).get("/me")).status_code == 401, kid
    assert (await house.client(tokens["accessToken"]).get("/me")).status_code == 200


async def test_a_key_that_the_token_brings_along_is_not_looked_at(house, an):
    tokens = await house.tokens(email=an.email, password=an.password)
    claims = jwt.decode(tokens["accessToken"], options={"verify_signature": False})
    header = jwt.get_unverified_header(tokens["accessToken"])
    own = Ed25519PrivateKey.generate()
    brought = json.loads(OKPAlgorithm.to_jwk(own.public_key())) | {"kid": header["kid"]}
    for more in (
        {"jwk": brought},
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/"},
        {"crit": ["b64"]},
    ):
        forged = jwt.encode(claims, own, "EdDSA", headers={"kid": header["kid"], **more})
        assert (await house.client(forged).get("/me")).status_code == 401


async def test_a_code_for_one_booking_is_of_no_use_for_an_account(house, an):
    async with house.services.database.begin() as work:
        await request_lookup(
            work, "BUS20261120AAAAAA", EMAIL, settings=house.services.settings, secrets=house.services.secrets
        )
    answer = await house.login(an.email, "000000")
    assert answer.status_code == 401
