"""What programs carry: access tokens that only we can make and that end at once, refresh tokens that work once."""

import asyncio
import base64
import json
from datetime import timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.signing.conftest import EMAIL, START, House

from farebox.accounts import AccessTokens, rotate_signing_key


@pytest.fixture
async def tokens(house):
    await house.register()
    return await house.tokens()


async def me(house: House, token: str) -> int:
    return (await house.client(token).get("/me")).status_code


def parts_of(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    header, claims, _ = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    return json.loads(header), json.loads(claims)


def forged(claims, key, algorithm, **headers) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


async def test_an_access_token_says_who_and_until_when(house, tokens):
    header, claims = parts_of(tokens["accessToken"])
    assert (header["alg"], set(header)) == ("EdDSA", {"alg", "typ", "kid"})
    assert set(claims) == {"iss", "sub", "id", "email", "roles", "operators", "sid", "iat", "exp", "jti"}
    assert claims["iss"] == house.services.settings.base_url
    assert claims["sub"] == claims["id"] == tokens["user"]["id"]
    assert (claims["email"], claims["roles"], claims["operators"]) == (EMAIL, ["user"], [])
    assert claims["iat"] == START.timestamp()
    assert claims["exp"] - claims["iat"] == tokens["expiresIn"] == 900
    assert tokens["tokenType"] == "Bearer"


async def test_it_works_until_its_time_is_over(house, tokens, clock):
    clock.turn(seconds=899)
    assert await me(house, tokens["accessToken"]) == 200
    clock.turn(seconds=1)
    assert await me(house, tokens["accessToken"]) == 401


async def test_anybody_can_check_it_with_the_published_keys(house, tokens):
    client = house.client()
    answers = [
        await client.get(f"{house.services.settings.base_url}{path}")
        for path in ("/.well-known/jwks.json", "/api/v1/auth/jwks", "/api/auth/jwks")
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].headers["cache-control"] == "public, max-age=300"
    [key] = answers[0].json()["keys"]
    assert set(key) == {"kty", "crv", "use", "alg", "kid", "x"}  # and nothing private
    public = jwt.PyJWK(key)
    read = jwt.decode(tokens["accessToken"], public, algorithms=["EdDSA"], options={"verify_exp": False})
    assert read["email"] == EMAIL


async def test_the_first_who_come_at_once_share_one_key(house):
    await house.register()
    answers = await asyncio.gather(*(house.login(client="app") for _ in range(5)))
    kids = {parts_of(answer.json()["accessToken"])[0]["kid"] for answer in answers}
    assert len(kids) == await house.ask("SELECT count(*) FROM signing_key") == 1


async def test_the_private_key_is_sealed(house, tokens):
    header, _ = parts_of(tokens["accessToken"])
    sealed = bytes(await house.ask("SELECT private_key FROM signing_key"))
    opened = base64.b64decode(house.services.secrets.decrypt(sealed))
    assert len(opened) == 32
    assert opened not in sealed
    assert await house.ask("SELECT kid FROM signing_key") == header["kid"]


async def test_no_other_algorithm_and_no_other_key_is_taken(house, tokens):
    header, claims = parts_of(tokens["accessToken"])
    kid = header["kid"]
    key = jwt.PyJWK((await house.client().get("/jwks")).json()["keys"][0]).key
    public = key.public_bytes(Encoding.Raw, PublicFormat.Raw)
    stranger = Ed25519PrivateKey.generate()
    for token in (
        forged(claims, None, "none", kid=kid),
        forged(claims, public + b"0" * 0, "HS256", kid=kid),
        forged(claims, base64.urlsafe_b64encode(public), "HS512", kid=kid),
        forged(claims, stranger, "EdDSA", kid=kid),
        forged(claims, stranger, "EdDSA", kid="made-up"),
        forged(claims, stranger, "EdDSA"),
        forged(claims, stranger, "EdDSA", kid=kid, jwk={"kty": "OKP"}, jku="https://evil.example/jwks.json"),
        tokens["accessToken"].rsplit(".", 1)[0] + ".",
        tokens["accessToken"][:-8] + "AAAAAAAA",
        "..",
        "a.b.c",
        "e30.e30.e30",
        "." * 2 + "x" * 20_000,
    ):
        assert await me(house, token) == 401, token[:80]
    assert await me(house, tokens["accessToken"]) == 200  # the control


@pytest.mark.parametrize("lacking", ["iss", "sub", "sid", "iat", "exp", "jti"])
async def test_a_token_that_lacks_a_claim_is_not_taken(house, tokens, lacking):
    """Even signed by us: nothing that we make lacks one."""
    header, claims = parts_of(tokens["accessToken"])
    sealed = bytes(await house.ask("SELECT private_key FROM signing_key"))
    key = Ed25519PrivateKey.from_private_bytes(base64.b64decode(house.services.secrets.decrypt(sealed)))
    assert await me(house, forged(claims, key, "EdDSA", kid=header["kid"])) == 200
    changed = {name: value for name, value in claims.items() if name != lacking}
    assert await me(house, forged(changed, key, "EdDSA", kid=header["kid"])) == 401
    for bad in ({"iss": "https://evil.example"}, {"sid": "x"}, {"sid": 5}, {"exp": "never"}):
        assert await me(house, forged(claims | bad, key, "EdDSA", kid=header["kid"])) == 401


async def test_ending_a_session_ends_its_access_token_at_once(house, tokens):
    client = house.client(tokens["accessToken"])
    assert (await client.get("/me")).status_code == 200
    assert (await client.post("/logout")).json() == {"signedOut": True}
    assert (await client.get("/me")).status_code == 401


async def test_roles_are_those_of_this_moment_not_of_the_token(house, tokens):
    client = house.client(tokens["accessToken"])
    async with house.services.database.begin() as work:
        await work.execute("UPDATE person SET roles = ARRAY['premium', 'user']")
    assert (await client.get("/me")).json()["roles"] == ["premium", "user"]
    assert parts_of(tokens["accessToken"])[1]["roles"] == ["user"]


async def test_a_change_of_keys_signs_nobody_out(house, tokens, clock):
    async with house.services.database.begin() as work:
        kid = await rotate_signing_key(work, secrets=house.services.secrets)
    house.services.access_tokens._loaded_at = float("-inf")  # a minute later
    newer = await house.tokens()
    assert parts_of(newer["accessToken"])[0]["kid"] == kid
    assert await me(house, tokens["accessToken"]) == await me(house, newer["accessToken"]) == 200
    assert len((await house.client().get("/jwks")).json()["keys"]) == 2
    clock.turn(hours=1)
    house.services.access_tokens._loaded_at = float("-inf")
    assert [key["kid"] for key in (await house.client().get("/jwks")).json()["keys"]] == [kid]


async def test_a_key_made_elsewhere_is_known_when_its_first_token_comes(house, tokens, monkeypatch):
    """As with several processes: another one rotates and signs, this one has loaded its keys before."""
    services = house.services
    async with services.database.begin() as work:
        await rotate_signing_key(work, secrets=services.secrets)
    elsewhere = AccessTokens(services.database, services.settings, services.secrets)
    from farebox.accounts import get_person

    _, claims = parts_of(tokens["accessToken"])
    async with services.database.begin() as work:
        person = await get_person(work, claims["sub"], secrets=services.secrets)
    token = await elsewhere.issue(person, claims["sid"], {})
    services.access_tokens._loaded_at -= 2
    assert await me(house, token) == 200


class TestRefresh:
    async def test_a_refresh_token_is_exchanged_for_the_next(self, house, tokens, clock):
        clock.turn(days=6)
        answer = await house.client().post("/refresh", json={"refreshToken": tokens["refreshToken"]})
        assert answer.status_code == 200
        newer = answer.json()
        assert newer["refreshToken"].startswith("fbr_")
        assert newer["refreshToken"] != tokens["refreshToken"]
        assert await me(house, newer["accessToken"]) == 200
        assert answer.headers["cache-control"] == "private, no-store"

    async def test_it_works_for_seven_days_and_use_begins_them_anew(self, house, tokens, clock):
        token = tokens["refreshToken"]
        for _ in range(3):
            clock.turn(days=6, hours=23)
            token = (await house.client().post("/refresh", json={"refreshToken": token})).json()["refreshToken"]
        clock.turn(days=7)
        late = await house.client().post("/refresh", json={"refreshToken": token})
        assert (late.status_code, late.json()["code"]) == (401, "invalid-refresh-token")

    async def test_nobody_stays_signed_in_for_more_than_ninety_days(self, house, tokens, clock):
        token = tokens["refreshToken"]
        for _ in range(15):
            clock.turn(days=5, hours=23)
            token = (await house.client().post("/refresh", json={"refreshToken": token})).json()["refreshToken"]
        clock.turn(days=1)
        assert (await house.client().post("/refresh", json={"refreshToken": token})).status_code == 401

    async def test_one_that_comes_again_ends_the_family_and_is_told(self, house, tokens):
        first = tokens["refreshToken"]
        second = (await house.client().post("/refresh", json={"refreshToken": first})).json()
        assert await me(house, second["accessToken"]) == 200
        await house.mails()
        again = await house.client().post("/refresh", json={"refreshToken": first})
        assert (again.status_code, again.json()["code"]) == (401, "invalid-refresh-token")
        assert await me(house, second["accessToken"]) == 401
        third = await house.client().post("/refresh", json={"refreshToken": second["refreshToken"]})
        assert third.status_code == 401
        assert (await house.mail()).kind == "refresh-token-reused"
        assert await house.running() == 0

    async def test_other_sessions_of_the_person_stay(self, house, tokens):
        other = await house.signed_in()
        for _ in range(2):
            await house.client().post("/refresh", json={"refreshToken": tokens["refreshToken"]})
        assert (await other.get("/me")).status_code == 200

    async def test_two_at_once_end_the_family_whatever_their_order(self, house, tokens):
        answers = await asyncio.gather(
            *(house.client().post("/refresh", json={"refreshToken": tokens["refreshToken"]}) for _ in range(2))
        )
        assert sorted(answer.status_code for answer in answers) == [200, 401]
        assert await house.running() == 0

    async def test_a_browser_has_it_in_a_cookie_for_these_routes_only(self, house):
        await house.register()
        answer = await house.login()
        assert answer.json()["refreshToken"] is None
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith("farebox_refresh=fbr_")
        for attribute in ("HttpOnly", "SameSite=strict", "Path=/api/v1/auth;", "Max-Age=604800"):
            assert attribute in cookie
        client = house.client()
        client.cookies.set("farebox_refresh", cookie.split("=", 1)[1].split(";")[0])
        refreshed = await client.post("/refresh")
        assert refreshed.status_code == 200
        assert refreshed.json()["refreshToken"] is None
        assert "farebox_refresh=fbr_" in refreshed.headers["set-cookie"]
        client.cookies.clear()
        client.cookies.set("farebox_refresh", refreshed.headers["set-cookie"].split("=", 1)[1].split(";")[0])
        out = await client.post("/logout")
        assert 'farebox_refresh=""; Max-Age=0' in out.headers["set-cookie"] or "Max-Age=0" in out.headers["set-cookie"]
        assert await house.running() == 0

    @pytest.mark.parametrize("token", ["", "fbr_x", "nonsense", "x" * 200])
    async def test_what_was_never_given_out_refreshes_nothing(self, house, tokens, token):
        assert (await house.client().post("/refresh", json={"refreshToken": token})).status_code == 401
        assert await me(house, tokens["accessToken"]) == 200

    async def test_only_digests_are_stored(self, house, tokens):
        token = tokens["refreshToken"].removeprefix("fbr_")
        for table in ("person_session", "refresh_token"):
            assert await house.ask(f"SELECT count(*) FROM {table} WHERE {table}::text LIKE '%%{token}%%'") == 0


async def test_a_browsers_session_slides_with_use_and_ends_without(house, clock):
    from tests.people import make_person, open_session_of

    an = await make_person(house.services.database, house.services.secrets)
    opened = await open_session_of(
        an, expires_at=START + timedelta(days=14), ends_at=START + timedelta(days=90), used_at=START
    )
    client = house.client()
    client.cookies.set("farebox_session", opened.token)
    for _ in range(6):
        clock.turn(days=13, hours=23)
        assert (await client.get("/me")).status_code == 200
    clock.turn(days=7)
    assert (await client.get("/me")).status_code == 401  # ninety days are over
    fresh = await open_session_of(an, expires_at=clock.now + timedelta(days=14), ends_at=clock.now + timedelta(days=90))
    client.cookies.set("farebox_session", fresh.token)
    clock.turn(days=14)
    assert (await client.get("/me")).status_code == 401


async def test_a_sessions_cookie_changes_nothing_through_the_api(house):
    from tests.people import make_person, open_session_of

    an = await make_person(house.services.database, house.services.secrets)
    client = house.client()
    client.cookies.set("farebox_session", (await open_session_of(an)).token)
    refused = await client.post("/change-password", json={"currentPassword": "x", "newPassword": "a new long one"})
    assert refused.status_code == 401
