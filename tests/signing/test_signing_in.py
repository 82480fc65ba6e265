"""Signing in with a password: who gets in, who does not, and what the refusals give away."""

import asyncio
from statistics import median
from time import perf_counter, process_time

import bcrypt
import httpx
import pytest
from argon2 import PasswordHasher, extract_parameters
from tests.people import CHEAP, make_person
from tests.signing.conftest import EMAIL, PASSWORD, token_of

from farebox.accounts import Passwords, answer_mail_request
from farebox.accounts.mail_requests import MailRequest
from farebox.accounts.passwords import LANES, MEMORY_KIB, MOST_WAITING, NOBODYS, PASSES
from farebox.core.errors import Busy
from farebox.core.ids import new_id


@pytest.fixture
def counted(house, monkeypatch) -> list[str | None]:
    """What was compared with a typed password; `None` stands for nobody's."""
    seen: list[str | None] = []
    verify = house.services.passwords.verify

    async def note(kept: str | None, password: str) -> bool:
        seen.append(kept)
        return bool(await verify(kept, password))

    monkeypatch.setattr(house.services.passwords, "verify", note)
    return seen


async def test_refusals_are_alike_in_words_and_in_work(house, counted):
    await house.register()
    async with house.services.database.begin():
        await make_person(house.services.database, house.services.secrets, email="none@example.com", password=None)
    answers = [
        await house.login(email, "not it at all") for email in (EMAIL, "nobody@example.com", "none@example.com", "x")
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert answers[0].json()["code"] == "invalid-credentials"
    assert [kept is None for kept in counted] == [False, True, True, True]  # each was compared with something


async def test_an_unknown_address_takes_as_long_as_a_known_one(house):
    """Counted in the processor's time, of which a busy machine takes nothing away."""
    real = Passwords(PasswordHasher(PASSES, MEMORY_KIB, LANES))
    kept = await real.hash(PASSWORD)
    times: dict[bool, list[float]] = {True: [], False: []}
    for _ in range(15):
        for is_known in (True, False):
            started = process_time()
            await real.verify(kept if is_known else None, "not it at all")
            times[is_known].append(process_time() - started)
    known, unknown = median(times[True]), median(times[False])
    real.close()
    assert 0.5 < unknown / known < 2


async def test_nobodys_hash_has_the_parameters_of_all_others():
    mine, nobodys = Passwords(), extract_parameters(NOBODYS)
    assert extract_parameters(await mine.hash(PASSWORD)) == nobodys
    assert (nobodys.memory_cost, nobodys.time_cost, nobodys.parallelism, nobodys.type.name) == (19_456, 2, 1, "ID")
    assert not await mine.verify(None, "of nobody")
    mine.close()


async def test_ten_wrong_passwords_close_an_account_that_exists_or_not(house, clock):
    await house.register()
    for email in (EMAIL, "nobody@example.com"):
        first = [(await house.login(email, "not it at all")).status_code for _ in range(10)]
        assert first == [401] * 10
        clock.turn(minutes=1)
        right = await house.login(email)
        assert (right.status_code, right.json()["code"], right.json()["retryAfter"]) == (429, "too-many-attempts", 840)
        assert right.headers["retry-after"] == "840"
    clock.turn(minutes=14)
    assert (await house.login()).status_code == 200


async def test_a_right_password_forgets_the_wrong_ones(house):
    await house.register()
    for _ in range(3):
        assert [(await house.login(EMAIL, "not it at all")).status_code for _ in range(9)] == [401] * 9
        assert (await house.login()).status_code == 200


async def test_many_guesses_at_once_are_still_ten(house):
    await house.register()
    answers = await asyncio.gather(*(house.login(EMAIL, f"guess number {n}") for n in range(25)))
    assert sorted(answer.status_code for answer in answers) == [401] * 10 + [429] * 15


async def test_the_table_of_attempts_names_nobody(house):
    await house.login("nobody@example.com", "not it at all")
    assert await house.ask("SELECT count(*) FROM attempt") == 1
    assert await house.ask("SELECT count(*) FROM attempt WHERE attempt::text LIKE '%%nobody%%'") == 0


@pytest.mark.parametrize("prefix", [b"2a", b"2b", b"2y"])
async def test_an_imported_bcrypt_hash_opens_and_is_replaced(house, prefix):
    salt = bcrypt.gensalt(4)
    kept = bcrypt.hashpw(PASSWORD.encode(), salt).decode().replace("$2b$", f"${prefix.decode()}$", 1)
    await make_person(house.services.database, house.services.secrets, password_hash=kept)
    assert (await house.login(EMAIL, "not it at all")).status_code == 401
    assert await house.ask("SELECT password_hash FROM person") == kept
    assert (await house.login()).status_code == 200
    assert (await house.ask("SELECT password_hash FROM person")).startswith("$argon2id$")
    assert (await house.login()).status_code == 200


async def test_a_hash_with_other_parameters_is_made_anew(house):
    old = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(PASSWORD)
    await make_person(house.services.database, house.services.secrets, password_hash=old)
    assert (await house.login()).status_code == 200
    newer = await house.ask("SELECT password_hash FROM person")
    assert extract_parameters(newer) == extract_parameters(CHEAP.hash("x"))
    assert (await house.login()).status_code == 200
    assert await house.ask("SELECT password_hash FROM person") == newer


@pytest.mark.parametrize("kept", ["", "!", "$2b$", "$argon2id$", "plain"])
async def test_a_hash_that_is_none_opens_nothing(house, kept):
    await make_person(house.services.database, house.services.secrets, password_hash=kept)
    assert (await house.login()).status_code == 401


async def test_an_erased_person_cannot_sign_in(house, clock):
    await make_person(house.services.database, house.services.secrets)
    async with house.services.database.begin() as work:
        await work.execute("UPDATE person SET erased_at = now(), email = NULL, email_index = NULL")
    assert (await house.login()).status_code == 401


async def test_fifty_sign_ins_leave_other_requests_fast(house):
    """The guard is that passwords wait for each other, in threads of their own, with no connection in hand."""
    real = Passwords(PasswordHasher(PASSES, MEMORY_KIB, LANES))
    kept = await real.hash(PASSWORD)
    flood = [asyncio.create_task(real.verify(kept, "not it at all")) for _ in range(50)]
    await asyncio.sleep(0)
    started, waits = perf_counter(), []
    while not all(task.done() for task in flood):
        before = perf_counter()
        await asyncio.sleep(0.001)
        waits.append(perf_counter() - before)
    whole = perf_counter() - started
    real.close()
    assert median(waits) < whole / 20  # in one thread with the passwords, there would be one wait as long as them all


async def test_no_connection_is_held_while_a_password_is_checked(house, monkeypatch):
    await house.register()
    pool = house.services.database.engine.pool
    held: list[int] = []
    verify = house.services.passwords.verify

    async def look(kept: str | None, password: str) -> bool:
        held.append(pool.checkedout())
        return bool(await verify(kept, password))

    monkeypatch.setattr(house.services.passwords, "verify", look)
    assert (await house.login()).status_code == 200
    assert held == [0]


async def test_too_many_at_once_are_asked_to_come_again():
    passwords = Passwords(CHEAP)
    kept = await passwords.hash(PASSWORD)
    waiting = [asyncio.create_task(passwords.verify(kept, "x")) for _ in range(MOST_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(Busy):
        await passwords.verify(kept, "x")
    assert await asyncio.gather(*waiting) == [False] * MOST_WAITING
    passwords.close()


async def test_sign_ins_are_published_without_names_and_a_new_device_is_told(house):
    await house.register()
    laptop = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"}
    phone = {"User-Agent": "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 Chrome/140.0.0.0 Mobile Safari/537.36"}
    for headers, mails in ((laptop, 0), (laptop, 0), (phone, 1), (phone, 0)):
        await house.client(**headers).post("/login", json={"email": EMAIL, "password": PASSWORD})
        told = await house.mails()
        assert [mail.kind for mail in told] == ["new-sign-in"] * mails
    assert await house.ask("SELECT count(*) FROM outbox_event WHERE type = 'user.logged_in'") == 4


async def test_a_new_device_is_described_in_the_mail(house):
    await house.register()
    await house.login()
    headers = {"User-Agent": "Mozilla/5.0 (Windows NT 10.0; rv:140.0) Gecko/20100101 Firefox/140.0"}
    await house.client(**headers).post("/login", json={"email": EMAIL, "password": PASSWORD})
    mail = await house.mail()
    assert "Firefox, Windows (127.0.0.0/24)" in mail.text
    assert "20 November 2026, 08:00" in mail.text
    assert f"{house.services.settings.base_url}/account/security" in mail.text


class TestForgottenPassword:
    async def test_known_and_unknown_are_answered_alike(self, house):
        await house.register()
        answers = [
            await house.client().post("/forgot-password", json={"email": email})
            for email in (EMAIL, "nobody@example.com", "", "x" * 900)
        ]
        assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"mail":"sent"}')}
        mail = await house.mail()
        assert (mail.recipient, mail.kind) == (EMAIL, "reset-password")

    async def test_the_link_works_once_and_ends_all_sessions(self, house):
        await house.register()
        signed_in = await house.signed_in()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of((await house.mails())[-1])
        given = {"token": token, "newPassword": "a new long password"}
        assert (await house.client().post("/reset-password", json=given)).status_code == 204
        assert (await signed_in.get("/me")).status_code == 401
        assert (await house.login()).status_code == 401
        assert (await house.login(password="a new long password")).status_code == 200
        assert [mail.kind for mail in await house.mails()] == ["password-changed"]
        again = await house.client().post("/reset-password", json=given)
        assert (again.status_code, again.json()["code"]) == (410, "link-expired")

    async def test_the_link_works_for_an_hour(self, house, clock):
        await house.register()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of(await house.mail())
        clock.turn(hours=1)
        late = await house.client().post("/reset-password", json={"token": token, "newPassword": "a new long one"})
        assert late.status_code == 410

    async def test_a_bad_password_does_not_use_the_link_up(self, house):
        await house.register()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of(await house.mail())
        for bad in ("short", "password1"):
            answer = await house.client().post("/reset-password", json={"token": token, "newPassword": bad})
            assert answer.status_code == 422
        answer = await house.client().post("/reset-password", json={"token": token, "newPassword": "a new long one"})
        assert answer.status_code == 204

    async def test_two_who_use_a_link_at_once_are_one(self, house):
        await house.register()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of(await house.mail())
        answers = await asyncio.gather(
            *(
                house.client().post("/reset-password", json={"token": token, "newPassword": f"a new long one {n}"})
                for n in range(4)
            )
        )
        assert sorted(answer.status_code for answer in answers) == [204, 410, 410, 410]

    async def test_a_link_of_another_purpose_is_no_use(self, house):
        await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
        token = token_of(await house.mail())
        answer = await house.client().post("/reset-password", json={"token": token, "newPassword": "a new long one"})
        assert answer.status_code == 410

    async def test_it_proves_the_address_too_and_lifts_the_closure(self, house):
        await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
        for _ in range(11):
            await house.login(EMAIL, "not it at all")
        await house.mails()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of(await house.mail())
        await house.client().post("/reset-password", json={"token": token, "newPassword": "a new long one"})
        assert (await house.login(password="a new long one")).status_code == 200

    async def test_five_mails_an_hour_go_to_one_person(self, house):
        await house.register()
        for _ in range(7):
            await house.client().post("/forgot-password", json={"email": EMAIL})
        assert len(await house.mails()) == 5

    async def test_asked_for_at_the_same_time_there_are_five_too(self, house):
        await house.register()
        services = house.services
        request = MailRequest(id=new_id(), wish="reset-password", email=EMAIL, language="en")

        async def answer() -> int:
            async with services.database.begin() as work:
                await asyncio.sleep(0.05)
                return len(await answer_mail_request(work, request, secrets=services.secrets))

        assert sum(await asyncio.gather(*(answer() for _ in range(8)))) == 5


class TestChanges:
    async def test_a_change_of_password_needs_the_present_one_and_ends_other_sessions(self, house):
        await house.register()
        mine, other = await house.signed_in(), await house.signed_in()
        await house.mails()
        wrong = {"currentPassword": "not it at all", "newPassword": "a new long password"}
        refused = await mine.post("/change-password", json=wrong)
        assert (refused.status_code, refused.json()["code"]) == (422, "wrong-password")
        right = wrong | {"currentPassword": PASSWORD}
        assert (await mine.post("/change-password", json=right | {"newPassword": "short"})).status_code == 422
        assert (await mine.post("/change-password", json=right)).status_code == 204
        assert [(await each.get("/me")).status_code for each in (mine, other)] == [200, 401]
        mail = await house.mail()
        assert (mail.kind, mail.recipient) == ("password-changed", EMAIL)
        assert (await house.login(password="a new long password")).status_code == 200

    async def test_who_took_over_a_session_gets_no_more_guesses_at_the_password(self, house):
        await house.register()
        mine = await house.signed_in()
        for _ in range(10):
            guess = {"currentPassword": "not it at all", "newPassword": "a new long password"}
            assert (await mine.post("/change-password", json=guess)).status_code == 422
        assert (await mine.post("/change-password", json=guess | {"currentPassword": PASSWORD})).status_code == 429

    async def test_a_change_of_password_voids_links_that_were_mailed(self, house):
        await house.register()
        await house.client().post("/forgot-password", json={"email": EMAIL})
        token = token_of(await house.mail())
        mine = await house.signed_in()
        await mine.post("/change-password", json={"currentPassword": PASSWORD, "newPassword": "a new long password"})
        answer = await house.client().post("/reset-password", json={"token": token, "newPassword": "of a thief"})
        assert answer.status_code == 410

    async def ask(self, house, client: httpx.AsyncClient, new_email: str) -> dict[str, str]:
        """Ask for another address; the token in each mailbox."""
        await house.mails()
        answer = await client.post("/change-email", json={"newEmail": new_email, "currentPassword": PASSWORD})
        assert (answer.status_code, answer.json()) == (202, {"mail": "sent"})
        return {mail.recipient: token_of(mail) for mail in await house.mails() if mail.kind != "already-registered"}

    @pytest.mark.parametrize("order", [(0, 1), (1, 0)])
    async def test_an_address_changes_when_both_have_confirmed_in_either_order(self, house, order):
        await house.register()
        mine = await house.signed_in()
        tokens = await self.ask(house, mine, "New@Example.com")
        first, second = (tokens[(EMAIL, "New@example.com")[n]] for n in order)
        half = await house.client().post("/change-email/confirm", json={"token": first})
        assert (half.status_code, half.json()) == (200, {"state": "half"})
        again = await house.client().post("/change-email/confirm", json={"token": first})
        assert again.status_code == 410
        assert (await mine.get("/me")).json()["email"] == EMAIL
        done = await house.client().post("/change-email/confirm", json={"token": second})
        assert done.json() == {"state": "changed"}
        assert (await mine.get("/me")).json()["email"] == "New@example.com"
        notice = await house.mail()
        assert (notice.kind, notice.recipient) == ("email-changed", EMAIL)
        assert (await house.login("new@example.com")).status_code == 200
        assert (await house.login()).status_code == 401

    async def test_both_links_used_at_once_change_it(self, house):
        await house.register()
        tokens = await self.ask(house, await house.signed_in(), "new@example.com")
        answers = await asyncio.gather(
            *(house.client().post("/change-email/confirm", json={"token": token}) for token in tokens.values())
        )
        assert sorted(answer.json()["state"] for answer in answers) == ["changed", "half"]

    async def test_links_of_an_earlier_change_are_void(self, house, clock):
        await house.register()
        mine = await house.signed_in()
        earlier = await self.ask(house, mine, "first@example.com")
        later = await self.ask(house, mine, "second@example.com")
        assert (
            await house.client().post("/change-email/confirm", json={"token": earlier["first@example.com"]})
        ).status_code == 410
        for token in later.values():
            await house.client().post("/change-email/confirm", json={"token": token})
        assert (await mine.get("/me")).json()["email"] == "second@example.com"

    async def test_links_work_for_a_day(self, house, clock):
        await house.register()
        tokens = await self.ask(house, await house.signed_in(), "new@example.com")
        clock.turn(hours=24)
        for token in tokens.values():
            assert (await house.client().post("/change-email/confirm", json={"token": token})).status_code == 410

    async def test_an_address_of_somebody_else_is_told_there_and_nowhere_else(self, house):
        await house.register()
        await house.register(email="binh@example.com")
        tokens = await self.ask(house, await house.signed_in(), "binh@example.com")
        assert set(tokens) == {EMAIL}
        await house.client().post("/change-email/confirm", json={"token": tokens[EMAIL]})
        assert (await house.login()).status_code == 200

    async def test_it_needs_the_password_and_a_real_change(self, house):
        await house.register()
        mine = await house.signed_in()
        wrong = await mine.post("/change-email", json={"newEmail": "n@example.com", "currentPassword": "wrong wrong"})
        assert wrong.json()["code"] == "wrong-password"
        same = await mine.post("/change-email", json={"newEmail": EMAIL.upper(), "currentPassword": PASSWORD})
        assert [error["code"] for error in same.json()["errors"]] == ["same-email"]
