"""Who works for an operator: what they may do, since when, until when, and who may say so."""

import asyncio
from datetime import timedelta

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.people import make_person, open_session_of
from tests.staff import bearer, make_operator, token_of

from farebox.accounts import ROLES, Actor, LastOperatorAdmin, get_person, make_invitation_mail, remove_member
from farebox.core.crypto import load_secrets
from farebox.core.ids import new_id
from farebox.notifications import Office, list_messages
from farebox.notifications.staff_jobs import _send_invitation
from farebox.wiring import build_services

V1 = "/api/v1"


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    yield services
    await services.dispose()


@pytest.fixture
async def client(services):
    async with AsyncTestClient(app_of(services)) as client:
        yield client


@pytest.fixture
async def lines(services):
    return await make_operator(services.database, services.secrets, "truong-son")


@pytest.fixture
async def other_lines(services):
    return await make_operator(services.database, services.secrets, "hai-van")


@pytest.fixture
async def admin(lines):
    return await lines.hire("operator_admin", email="chu@truong-son.example", first_name="Chu", last_name="Lê")


def staff(lines, *more):
    return "/".join([f"{V1}/operators/{lines.id}/staff", *map(str, more)])


def invitations(lines, *more):
    return "/".join([f"{V1}/operators/{lines.id}/invitations", *map(str, more)])


async def test_an_administrator_sees_everybody_who_works_there(client, lines, admin):
    agent = await lines.hire("agent", first_name="Bình", last_name="Trần")
    answer = await client.get(staff(lines), headers=bearer(await token_of(admin)))
    assert answer.status_code == 200
    assert [(each["userId"], each["name"], each["email"], each["role"]) for each in answer.json()["items"]] == [
        (str(admin.id), "Chu Lê", "chu@truong-son.example", "operator_admin"),
        (str(agent.id), "Bình Trần", "agent@truong-son.example", "agent"),
    ]
    assert answer.headers["cache-control"] == "private, no-store"


async def test_agents_and_drivers_do_not_manage_staff(client, lines):
    for role in ("agent", "driver"):
        token = await token_of(await lines.hire(role))
        answer = await client.get(staff(lines), headers=bearer(token))
        assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


async def test_another_operators_staff_is_not_there(client, lines, other_lines, admin):
    theirs = await other_lines.hire("agent")
    token = await token_of(admin)
    for method, path, body in [
        ("GET", staff(other_lines), None),
        ("PATCH", staff(other_lines, theirs.id), {"role": "driver"}),
        ("DELETE", staff(other_lines, theirs.id), None),
        ("PATCH", staff(lines, theirs.id), {"role": "driver"}),
        ("GET", invitations(other_lines), None),
        ("POST", invitations(other_lines), {"email": "x@example.com", "role": "driver"}),
        ("GET", f"{V1}/operators/{other_lines.id}/policy", None),
        ("PUT", f"{V1}/operators/{other_lines.id}/policy", {"requiresSecondFactor": True}),
        ("GET", f"{V1}/operators/{new_id()}/staff", None),
    ]:
        answer = await client.request(method, path, json=body, headers=bearer(token))
        assert answer.status_code == 404, (method, path, answer.text)


async def test_one_sees_for_whom_one_acts(client, services, lines, other_lines, admin):
    answer = await client.get(f"{V1}/operators", headers=bearer(await token_of(admin)))
    assert answer.json()["items"] == [
        {"operatorId": str(lines.id), "name": "Truong-Son", "role": "operator_admin", "needsSecondFactor": False}
    ]
    traveller = await make_person(services.database, services.secrets, email="khach@example.com")
    answer = await client.get(f"{V1}/operators", headers=bearer(await token_of(traveller)))
    assert answer.json()["items"] == []


async def test_who_is_removed_is_out_with_the_next_request(client, lines, admin):
    second = await lines.hire("operator_admin")
    token = await token_of(second)
    assert (await client.get(staff(lines), headers=bearer(token))).status_code == 200
    answer = await client.delete(staff(lines, second.id), headers=bearer(await token_of(admin)))
    assert answer.json() == {"done": True}
    answer = await client.get(staff(lines), headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (403, "not-allowed")


async def test_an_access_token_of_who_is_removed_opens_nothing_either(client, services, lines, admin):
    second = await lines.hire("operator_admin", email="an@example.com")
    session = await open_session_of(second, kind="app", token_digest=None, proved=["password", "totp"])
    async with services.database.begin() as work:
        person = await get_person(work, second.id, secrets=services.secrets)
    token = await services.access_tokens.issue(person, session.id, {lines.id: "operator_admin"})
    assert (await client.get(staff(lines), headers=bearer(token))).status_code == 200
    await client.delete(staff(lines, second.id), headers=bearer(await token_of(admin)))
    assert (await client.get(staff(lines), headers=bearer(token))).status_code == 403


async def test_a_changed_role_holds_from_the_next_request(client, lines, admin):
    second = await lines.hire("operator_admin")
    token = await token_of(second)
    answer = await client.patch(staff(lines, second.id), json={"role": "driver"}, headers=bearer(await token_of(admin)))
    assert answer.status_code == 200
    assert (await client.get(staff(lines), headers=bearer(token))).status_code == 403


async def test_the_last_administrator_stays(client, lines, admin):
    token = await token_of(admin)
    for answer in (
        await client.delete(staff(lines, admin.id), headers=bearer(token)),
        await client.patch(staff(lines, admin.id), json={"role": "agent"}, headers=bearer(token)),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "last-operator-admin")
    await lines.hire("operator_admin")
    assert (await client.delete(staff(lines, admin.id), headers=bearer(token))).status_code == 200


async def test_of_two_administrators_who_remove_each_other_one_stays(services, lines, admin):
    second = await lines.hire("operator_admin")
    grants = ((lines.id, ROLES["operator_admin"]),)

    async def remove(who, whom):
        async with services.database.begin(reach=[lines.id]) as work:
            await remove_member(work, lines.id, whom.id, actor=Actor("user", who.id, grants=grants))
            await asyncio.sleep(0.05)  # so that both are under way

    outcomes = await asyncio.gather(remove(admin, second), remove(second, admin), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome] == [LastOperatorAdmin]


async def test_nobody_raises_their_own_role(client, services, lines):
    """A platform's admin who works for an operator as an agent stays one; another admin can change that."""
    person = await lines.hire("agent", email="both@example.com", roles=("user", "admin"))
    answer = await client.patch(
        staff(lines, person.id), json={"role": "operator_admin"}, headers=bearer(await token_of(person))
    )
    assert (answer.status_code, answer.json()["code"]) == (403, "not-grantable")
    root = await make_person(services.database, services.secrets, email="root@example.com", roles=("user", "admin"))
    answer = await client.patch(
        staff(lines, person.id), json={"role": "operator_admin"}, headers=bearer(await token_of(root))
    )
    assert answer.status_code == 200


async def test_what_matters_asks_for_a_fresh_proof(client, services, lines, admin):
    old = services.database.clock() - timedelta(minutes=11)
    token = await token_of(admin, proved_at=old)
    assert (await client.get(staff(lines), headers=bearer(token))).status_code == 200
    answer = await client.delete(staff(lines, admin.id), headers=bearer(token))
    assert (answer.status_code, answer.json()["code"]) == (403, "step-up-required")
    fresh = await token_of(admin, proved_at=services.database.clock() - timedelta(minutes=9))
    assert (await client.delete(staff(lines, admin.id), headers=bearer(fresh))).status_code == 409


async def test_an_operator_can_ask_its_staff_for_a_second_factor(client, lines, other_lines, admin):
    agent = await lines.hire("operator_admin")
    weak, strong = await token_of(agent, proved=["password"]), await token_of(admin)
    assert (await client.get(staff(lines), headers=bearer(weak))).status_code == 200
    path = f"{V1}/operators/{lines.id}/policy"
    answer = await client.put(path, json={"requiresSecondFactor": True}, headers=bearer(weak))
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-required")
    answer = await client.put(path, json={"requiresSecondFactor": True}, headers=bearer(strong))
    assert answer.json() == {"requiresSecondFactor": True}
    assert (await client.get(path, headers=bearer(strong))).json() == {"requiresSecondFactor": True}

    answer = await client.get(staff(lines), headers=bearer(weak))
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-required")
    [post] = (await client.get(f"{V1}/operators", headers=bearer(weak))).json()["items"]
    assert post["needsSecondFactor"] is True
    assert (await client.get(staff(lines), headers=bearer(await token_of(agent)))).status_code == 200


async def test_the_platforms_admins_need_a_second_factor(client, services, lines):
    root = await make_person(services.database, services.secrets, email="root@example.com", roles=("user", "admin"))
    answer = await client.get(staff(lines), headers=bearer(await token_of(root, proved=["password"])))
    assert (answer.status_code, answer.json()["code"]) == (403, "second-factor-required")
    assert (await client.get(staff(lines), headers=bearer(await token_of(root)))).status_code == 200


async def invited(client, lines, admin, email="binh@example.com", role="agent"):
    answer = await client.post(
        invitations(lines), json={"email": email, "role": role}, headers=bearer(await token_of(admin))
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def mailed_token(services, invitation_id):
    """The token that the job mails. Only its digest stays."""
    async with services.database.begin(reach="*") as work:
        mail = await make_invitation_mail(work, invitation_id, secrets=services.secrets)
    return mail.token if mail else None


async def accept(client, token, person):
    return await client.post(f"{V1}/invitations/accept", json={"token": token}, headers=bearer(await token_of(person)))


async def test_who_proved_the_address_accepts_once(client, services, lines, admin):
    invitation = await invited(client, lines, admin)
    token = await mailed_token(services, invitation["invitationId"])
    binh = await make_person(services.database, services.secrets, email="binh@example.com")
    answer = await accept(client, token, binh)
    assert answer.json() == {"operatorId": str(lines.id), "name": "Truong-Son"}
    answer = await accept(client, token, binh)
    assert (answer.status_code, answer.json()["code"]) == (410, "invitation-over")
    items = (await client.get(staff(lines), headers=bearer(await token_of(admin)))).json()["items"]
    assert [each["role"] for each in items] == ["operator_admin", "agent"]
    assert (await client.get(invitations(lines), headers=bearer(await token_of(admin)))).json()["items"] == []


@pytest.mark.parametrize(
    ("email", "is_verified"), [("eve@example.com", True), ("binh@example.com", False)], ids=["another", "unproven"]
)
async def test_nobody_else_accepts(client, services, lines, admin, email, is_verified):
    invitation = await invited(client, lines, admin)
    token = await mailed_token(services, invitation["invitationId"])
    person = await make_person(services.database, services.secrets, email=email, is_verified=is_verified)
    answer = await accept(client, token, person)
    assert (answer.status_code, answer.json()["code"]) == (403, "invitation-for-another")


async def test_an_invitation_lasts_a_week_and_can_be_taken_back_and_mailed_anew(client, services, lines, admin):
    binh = await make_person(services.database, services.secrets, email="binh@example.com")
    boss = bearer(await token_of(admin))
    first = await invited(client, lines, admin)
    old = await mailed_token(services, first["invitationId"])
    answer = await client.post(invitations(lines, first["invitationId"], "resend"), headers=boss)
    assert answer.json()["invitationId"] == first["invitationId"]
    assert (await accept(client, old, binh)).json()["code"] == "invitation-over"

    again = await mailed_token(services, first["invitationId"])
    assert (await client.delete(invitations(lines, first["invitationId"]), headers=boss)).status_code == 200
    assert (await accept(client, again, binh)).json()["code"] == "invitation-over"
    assert (await client.delete(invitations(lines, first["invitationId"]), headers=boss)).status_code == 404
    assert await mailed_token(services, first["invitationId"]) is None

    late = await invited(client, lines, admin)
    token = await mailed_token(services, late["invitationId"])
    async with services.database.begin(reach=[lines.id]) as work:
        await work.execute("UPDATE invitation SET expires_at = now() - interval '1 second' WHERE accepted_at IS NULL")
    assert (await accept(client, token, binh)).json()["code"] == "invitation-over"


async def test_the_token_is_stored_as_its_digest_and_the_address_sealed(client, services, lines, admin):
    invitation = await invited(client, lines, admin)
    token = await mailed_token(services, invitation["invitationId"])
    async with services.database.begin(reach="*") as work:
        [(row,)] = await (await work.execute("SELECT invitation::text FROM invitation")).fetchall()
    assert token not in row
    assert "binh" not in row


async def test_staff_are_not_invited_again_and_no_address_twice(client, lines, admin):
    await lines.hire("agent", email="binh@example.com")
    boss = bearer(await token_of(admin))
    answer = await client.post(invitations(lines), json={"email": "Binh@Example.com", "role": "driver"}, headers=boss)
    assert (answer.status_code, answer.json()["code"]) == (409, "already-staff")
    for _ in range(2):
        await invited(client, lines, admin, "lan@example.com")
    assert len((await client.get(invitations(lines), headers=boss)).json()["items"]) == 1
    answer = await client.post(invitations(lines), json={"email": "no address", "role": "driver"}, headers=boss)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "email")
    answer = await client.post(invitations(lines), json={"email": "a@example.com", "role": "admin"}, headers=boss)
    assert answer.status_code == 400


async def test_the_mail_says_who_invites_and_as_what_once(services, client, lines, admin, settings):
    invitation = await invited(client, lines, admin)
    office = Office(jobs=services.jobs, settings=settings, secrets=load_secrets(settings.home))
    for _ in range(2):
        async with services.jobs.app.open_async(), services.database.begin(reach="*") as work:
            await _send_invitation(work, invitation["invitationId"], "one", office, services.secrets)
    async with services.database.begin() as work:
        messages = await list_messages(work, secrets=services.secrets)
    [mail] = [each for each in messages if each.kind == "staff-invited"]
    assert mail.recipient == "binh@example.com"
    assert mail.subject == "Truong-Son invites you to work with Farebox"


async def test_an_address_is_mailed_ten_invitations_in_a_quarter_of_an_hour_and_no_more(client, lines, admin):
    """However often it is invited, mailed again, taken back and invited anew."""
    invitation = await invited(client, lines, admin)
    headers = bearer(await token_of(admin))
    again = [
        await client.post(invitations(lines, invitation["invitationId"], "resend"), headers=headers) for _ in range(10)
    ]
    assert [answer.status_code for answer in again] == [200] * 9 + [429]
    assert again[-1].json()["code"] == "invited-too-often"
    anew = await client.post(invitations(lines), json={"email": "binh@example.com", "role": "agent"}, headers=headers)
    assert anew.status_code == 429
    assert (await invited(client, lines, admin, email="chi@example.com"))["email"] == "chi@example.com"
