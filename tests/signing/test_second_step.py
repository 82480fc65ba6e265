"""The second step of a sign-in, where somebody has a second factor."""

import asyncio
import re
from typing import Any

import pyotp
import pytest
from tests.signing.conftest import EMAIL, PASSWORD, House, token_of

from farebox import accounts


class Owner:
    """Somebody with an authenticator app and recovery codes."""

    def __init__(self, house: House, totp: pyotp.TOTP, codes: list[str]) -> None:
        self._house, self._totp, self.codes = house, totp, codes

    def code(self) -> str:
        """A code that was not used before."""
        self._house.clock.turn(seconds=30)
        return self._totp.at(self._house.clock.now)

    async def challenge(self) -> str:
        answer = await self._house.login()
        assert answer.status_code == 401, answer.text
        return str(answer.json()["challengeToken"])

    async def finish(self, challenge: str, code: str, **more: str) -> Any:
        given = {"challengeToken": challenge, "code": code} | more
        return await self._house.client().post("/login/second-factor", json=given)


@pytest.fixture
async def owner(house) -> Owner:
    await house.register()
    services = house.services
    async with services.database.begin() as work:
        person = await accounts.find_person_by_email(work, EMAIL, secrets=services.secrets)
        assert person is not None
        setup = await accounts.begin_totp(work, person.id, "phone", account=EMAIL, secrets=services.secrets)
    totp = pyotp.TOTP(setup.secret)
    async with services.database.begin() as work:
        code = totp.at(house.clock.now)
        codes = await accounts.confirm_totp(work, person.id, setup.factor_id, code, secrets=services.secrets)
    assert codes
    await house.mails()
    return Owner(house, totp, codes)


async def test_a_right_password_opens_nothing_by_itself(house, owner):
    answer = await house.login()
    problem = answer.json()
    assert (answer.status_code, problem["code"]) == (401, "second-factor-required")
    assert problem["factors"] == ["recovery-code", "totp"]
    assert problem["challengeToken"].startswith("fbc_")
    assert await house.running() == 0
    assert await house.ask("SELECT count(*) FROM outbox_event WHERE type = 'user.logged_in'") == 0


async def test_a_wrong_password_tells_nothing_of_the_second_factor(house, owner):
    wrong, unknown = await house.login(EMAIL, "not it at all"), await house.login("nobody@example.com", PASSWORD)
    assert wrong.text == unknown.text


async def test_a_code_of_the_app_finishes_it_and_is_noted(house, owner):
    answer = await owner.finish(await owner.challenge(), owner.code(), client="app")
    assert answer.status_code == 200
    assert (await house.client(answer.json()["accessToken"]).get("/me")).json()["email"] == EMAIL
    assert await house.ask("SELECT proved FROM person_session") == ["password", "totp"]


async def test_a_recovery_code_finishes_it_once(house, owner):
    assert (await owner.finish(await owner.challenge(), owner.codes[0])).status_code == 200
    again = await owner.finish(await owner.challenge(), owner.codes[0])
    assert (again.status_code, again.json()["code"]) == (422, "wrong-code")


async def test_a_challenge_is_used_once_and_runs_out(house, owner, clock):
    challenge = await owner.challenge()
    code = owner.code()
    assert (await owner.finish(challenge, code)).status_code == 200
    again = await owner.finish(challenge, owner.code())
    assert (again.status_code, again.json()["code"]) == (410, "challenge-expired")
    late = await owner.challenge()
    clock.turn(minutes=10)
    assert (await owner.finish(late, owner.code())).status_code == 410


async def test_codes_are_not_for_guessing(house, owner):
    challenge = await owner.challenge()
    answers = await asyncio.gather(*(owner.finish(challenge, "000000") for _ in range(12)))
    assert sorted({answer.status_code for answer in answers}) == [410, 422]
    assert sum(answer.status_code == 422 for answer in answers) == 5
    challenge = await owner.challenge()
    answers = [await owner.finish(challenge, "000000") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [422] * 5
    refused = await owner.finish(await owner.challenge(), owner.code())  # ten in all: even a right one waits
    assert (refused.status_code, refused.json()["code"]) == (429, "too-many-attempts")


async def test_a_first_step_with_a_former_password_leads_nowhere(house, owner):
    challenge = await owner.challenge()
    await house.client().post("/forgot-password", json={"email": EMAIL})
    given = {"token": token_of(await house.mail()), "newPassword": "a new long password"}
    assert (await house.client().post("/reset-password", json=given)).status_code == 204
    assert (await owner.finish(challenge, owner.code())).status_code == 410


async def test_of_two_with_one_challenge_one_gets_in(house, owner):
    challenge = await owner.challenge()
    answers = await asyncio.gather(*(owner.finish(challenge, code) for code in owner.codes[:3]))
    assert sorted(answer.status_code for answer in answers) == [200, 410, 410]
    assert await house.running() == 1


@pytest.mark.parametrize("challenge", ["", "fbc_x", "x" * 200])
async def test_a_challenge_that_was_never_given_is_none(owner, challenge):
    assert (await owner.finish(challenge, "123456")).status_code == 410


async def test_the_page_of_the_second_step_keeps_where_one_was_going(house, owner):
    client = house.client()
    root = house.services.settings.base_url

    async def send(url: str, **form: str) -> Any:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await client.get(f"{root}/help")).text)
        assert found
        return await client.post(f"{root}{url}", data={"_csrf_token": found[1], **form})

    first = await send("/sign-in", email=EMAIL, password=PASSWORD, next="/account/password")
    assert first.headers["location"] == "/sign-in/code?next=%2Faccount%2Fpassword"
    assert "farebox_session" not in client.cookies
    page = await client.get(f"{root}{first.headers['location']}")
    assert 'name="next" value="/account/password"' in page.text
    assert '<a href="/sign-in?next=/account/password">Start again</a>' in page.text
    wrong = await send("/sign-in/code", code="000000", next="/account/password")
    assert (wrong.status_code, 'id="code-error"' in wrong.text) == (422, True)
    right = await send("/sign-in/code", code=owner.code(), next="/account/password")
    assert right.headers["location"] == "/account/password"
    assert (await client.get(f"{root}/account/password")).status_code == 200
    assert (await client.get(f"{root}/sign-in/code")).headers["location"] == "/sign-in"
