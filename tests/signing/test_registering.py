"""Registering, and proving the address."""

import pytest
from tests.signing.conftest import EMAIL, PASSWORD, token_of


async def test_who_registers_can_sign_in_once_the_address_is_confirmed(house):
    answer = await house.client().post(
        "/register",
        json={"email": EMAIL, "password": PASSWORD, "firstName": "An", "lastName": "Nguyễn", "phone": "0912 345 678"},
    )
    assert (answer.status_code, answer.json()) == (202, {"mail": "sent"})
    refused = await house.login()
    assert (refused.status_code, refused.json()["code"]) == (403, "email-not-verified")
    mail = await house.mail()
    assert (mail.recipient, mail.kind, mail.subject) == (EMAIL, "verify-email", "Confirm your e-mail address")
    assert f"{house.services.settings.base_url}/verify-email?token=" in mail.text
    answer = await house.client().post("/verify-email", json={"token": token_of(mail)})
    assert (answer.status_code, answer.json()) == (200, {"verified": True})
    user = (await house.tokens())["user"]
    assert {name: user[name] for name in ("email", "emailVerified", "firstName", "lastName", "phone", "roles")} == {
        "email": EMAIL,
        "emailVerified": True,
        "firstName": "An",
        "lastName": "Nguyễn",
        "phone": "+84912345678",
        "roles": ["user"],
    }


async def test_an_address_is_the_same_however_it_is_capitalised(house):
    await house.register(email="An.Nguyen@Example.com")
    assert (await house.login(email=" AN.NGUYEN@EXAMPLE.COM ")).status_code == 200


async def test_a_known_address_is_answered_alike_and_told_by_mail(house):
    await house.register()
    unknown = await house.client().post("/register", json={"email": "binh@example.com", "password": PASSWORD})
    await house.mails()
    known = await house.client().post("/register", json={"email": EMAIL, "password": "another password"})
    assert (known.status_code, known.json()) == (unknown.status_code, unknown.json()) == (202, {"mail": "sent"})
    mail = await house.mail()
    assert (mail.kind, mail.recipient) == ("already-registered", EMAIL)
    assert (await house.login()).status_code == 200
    assert (await house.login(password="another password")).status_code == 401


async def test_the_password_that_counts_is_that_of_the_registration_whose_link_was_used(house):
    stranger = {"email": EMAIL, "password": "of somebody else"}
    await house.client().post("/register", json=stranger)
    of_stranger = token_of(await house.mail())
    await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD, "firstName": "An"})
    own = token_of(await house.mail())
    assert (await house.client().post("/verify-email", json={"token": own})).status_code == 200
    assert (await house.login(password="of somebody else")).status_code == 401
    assert (await house.tokens())["user"]["firstName"] == "An"
    late = await house.client().post("/verify-email", json={"token": of_stranger})
    assert (late.status_code, late.json()["code"]) == (410, "link-expired")


async def test_asked_again_while_several_registrations_wait_the_owner_chooses_the_password(house):
    """A stranger registers after the owner, who then asks for the link again: it must not be the stranger's."""
    await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
    await house.client().post("/register", json={"email": EMAIL, "password": "of somebody else"})
    await house.mails()
    await house.client().post("/resend-verification", json={"email": EMAIL})
    mail = await house.mail()
    assert mail.kind == "reset-password"
    given = {"token": token_of(mail), "newPassword": "the owner's own choice"}
    assert (await house.client().post("/reset-password", json=given)).status_code == 204
    assert (await house.login(password="of somebody else")).status_code == 401
    assert (await house.login(password="the owner's own choice")).status_code == 200


async def test_a_link_works_once_and_for_a_day(house, clock):
    await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
    token = token_of(await house.mail())
    clock.turn(hours=24)
    late = await house.client().post("/verify-email", json={"token": token})
    assert (late.status_code, late.json()["code"]) == (410, "link-expired")
    assert (await house.client().post("/resend-verification", json={"email": EMAIL})).status_code == 202
    token = token_of(await house.mail())
    assert (await house.client().post("/verify-email", json={"token": token})).status_code == 200
    again = await house.client().post("/verify-email", json={"token": token})
    assert (again.status_code, again.json()["code"]) == (410, "link-expired")


async def test_the_link_is_sent_again_five_times_an_hour_and_to_nobody_else(house, clock):
    await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD})
    answers = [await house.client().post("/resend-verification", json={"email": EMAIL}) for _ in range(6)]
    answers += [await house.client().post("/resend-verification", json={"email": "nobody@example.com"})]
    assert {(answer.status_code, answer.text) for answer in answers} == {(202, '{"mail":"sent"}')}
    assert [mail.recipient for mail in await house.mails()] == [EMAIL] * 5
    clock.turn(hours=1)
    await house.client().post("/resend-verification", json={"email": EMAIL})
    token = token_of(await house.mail())
    await house.client().post("/verify-email", json={"token": token})
    await house.client().post("/resend-verification", json={"email": EMAIL})
    assert await house.mails() == []


@pytest.mark.parametrize(
    ("given", "field", "code"),
    [
        ({"password": "1234567"}, "password", "password-too-short"),
        ({"password": "x" * 129}, "password", "password-too-long"),
        ({"password": "password1"}, "password", "password-too-common"),
        ({"password": "PassWord1"}, "password", "password-too-common"),
        ({"email": "nobody"}, "email", "invalid-email"),
        ({"email": " "}, "email", "required"),
        ({"email": f"{'a' * 300}@example.com"}, "email", "invalid-email"),
        ({"phone": "12"}, "phone", "invalid-phone"),
        ({"firstName": "x" * 101}, "firstName", "too-long"),
        ({"lastName": "12"}, "lastName", "invalid-name"),
    ],
)
async def test_what_breaks_a_rule_is_named(house, given, field, code):
    answer = await house.client().post("/register", json={"email": EMAIL, "password": PASSWORD} | given)
    assert answer.status_code == 422
    assert [(error["field"], error["code"]) for error in answer.json()["errors"]] == [(field, code)]
    assert await house.mails() == []


@pytest.mark.parametrize("password", ["aaaaaaaa", "mật khẩu của tôi", "x" * 128, "🚌" * 8])
async def test_any_other_password_is_taken(house, password):
    await house.register(password=password)
    assert (await house.login(password=password)).status_code == 200


async def test_a_wrong_type_is_a_bad_request(house):
    answer = await house.client().post("/register", json={"email": 1, "password": PASSWORD})
    assert answer.status_code == 400


async def test_mails_follow_the_settings_and_the_readers_language_not_the_host_header(house):
    client = house.client(**{"Host": "evil.example", "X-Forwarded-Host": "evil.example", "Accept-Language": "vi"})
    await client.post("/register", json={"email": EMAIL, "password": PASSWORD})
    mail = await house.mail()
    assert "evil.example" not in mail.text + mail.html
    assert mail.language == "vi"


async def test_who_registers_is_published_without_their_data(house):
    await house.register()
    assert await house.ask("SELECT data::text FROM outbox_event WHERE type = 'user.registered'") is not None
    assert await house.ask("SELECT count(*) FROM outbox_event WHERE data::text LIKE '%%example.com%%'") == 0
    assert await house.ask("SELECT count(*) FROM person WHERE person::text LIKE '%%example.com%%'") == 0
