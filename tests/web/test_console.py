"""The console's pages: in a browser without scripts, with its cookie and its forms."""

import re
from datetime import timedelta
from html import unescape

import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.counting import counted_statements
from tests.people import make_person, sign_in_as
from tests.staff import PROVED, asking, make_operator

from farebox.accounts import DEVICE_SCOPES, invite, make_invitation_mail
from farebox.accounts.actor import SYSTEM
from farebox.wiring import build_services


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    yield services
    await services.dispose()


@pytest.fixture
async def browser(services):
    async with AsyncTestClient(app_of(services)) as client:
        yield client


@pytest.fixture
async def lines(services):
    return await make_operator(services.database, services.secrets, "truong-son")


@pytest.fixture
async def boss(lines):
    return await lines.hire("operator_admin", email="chu@truong-son.example", first_name="Chu", last_name="Lê")


async def send(browser, path, **fields):
    await browser.get("/find")
    form = fields | {"_csrf_token": browser.cookies["farebox_csrf"]}
    return await browser.post(path, data=form, follow_redirects=False)


def text_of(answer):
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


async def test_who_has_not_signed_in_is_sent_to_do_so_and_back(browser, lines):
    answer = await browser.get(f"/console/{lines.id}/staff", follow_redirects=False)
    assert answer.headers["location"] == f"/sign-in?next=%2Fconsole%2F{lines.id}%2Fstaff"


async def test_the_list_of_ones_operators_leads_to_what_is_open(browser, services, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    page = (await browser.get("/console")).text
    for section in ("staff", "keys", "devices"):
        assert f'href="/console/{lines.id}/{section}"' in page
    await sign_in_as(browser, await lines.hire("driver"))
    page = (await browser.get("/console")).text
    assert f'href="/console/{lines.id}"' in page
    assert f"/console/{lines.id}/" not in page  # departures are all that is a driver's here
    await sign_in_as(browser, await make_person(services.database, services.secrets, email="khach@example.com"))
    assert "You work for no operator here" in text_of(await browser.get("/console"))


async def test_staff_find_the_console_from_their_account_and_travellers_do_not(browser, services, lines, boss):
    await sign_in_as(browser, boss)
    assert 'href="/console"' in (await browser.get("/account")).text
    await sign_in_as(browser, await make_person(services.database, services.secrets, email="khach@example.com"))
    assert 'href="/console"' not in (await browser.get("/account")).text


async def test_an_old_proof_leads_to_confirming_and_back_before_anything_is_typed(browser, services, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED, proved_at=services.database.clock() - timedelta(minutes=11))
    staff = f"/console/{lines.id}/staff"
    assert (await browser.get(staff)).status_code == 200
    answer = await browser.get(f"{staff}/invite", follow_redirects=False)
    assert answer.headers["location"].startswith("/account/confirm?next=%2Fconsole%2F")
    answer = await send(browser, f"{staff}/policy", requires_second_factor="yes")
    assert answer.headers["location"].startswith("/account/confirm")


async def test_without_the_second_factor_that_is_asked_for_one_is_led_to_setting_it_up(browser, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    answer = await send(browser, f"/console/{lines.id}/staff/policy", requires_second_factor="yes")
    assert answer.headers["location"] == f"/console/{lines.id}/staff?done=policy"
    await sign_in_as(browser, boss, proved=["password"])
    answer = await browser.get(f"/console/{lines.id}/staff", follow_redirects=False)
    assert answer.headers["location"] == "/account/security"
    assert "This operator asks for a second factor." in text_of(await browser.get("/console"))


async def test_inviting_and_taking_back(browser, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    staff = f"/console/{lines.id}/staff"
    answer = await send(browser, f"{staff}/invite", email="no address", role="agent")
    assert (answer.status_code, "Enter an e-mail address" in text_of(answer)) == (422, True)
    answer = await send(browser, f"{staff}/invite", email="lan@example.com", role="king")
    assert answer.status_code == 422
    answer = await send(browser, f"{staff}/invite", email="lan@example.com", role="agent")
    assert answer.headers["location"] == f"{staff}?done=invited"
    page = await browser.get(staff)
    assert "lan@example.com" in page.text
    [revoke] = re.findall(r'action="(/console/[^"]+/revoke)"', page.text)
    assert (await send(browser, revoke)).status_code == 303
    assert "lan@example.com" not in (await browser.get(staff)).text


async def test_who_is_invited_joins_after_signing_in_with_that_address(browser, services, lines):
    async with services.database.begin(reach="*") as work:
        invitation = await invite(
            work, lines.id, "lan@example.com", "agent", actor=SYSTEM, secrets=services.secrets, language="en"
        )
        mail = await make_invitation_mail(work, invitation.id, secrets=services.secrets)
        assert mail is not None
    link = f"/join?token={mail.token}"
    answer = await browser.get(link)
    assert "Work for Truong-Son" in text_of(answer)
    assert "lan@" not in answer.text  # whoever has the link does not learn whose it is
    assert answer.headers["referrer-policy"] == "no-referrer"
    await sign_in_as(browser, await make_person(services.database, services.secrets, email="eve@example.com"))
    assert (await send(browser, "/join", token=mail.token)).status_code == 403
    await sign_in_as(browser, await make_person(services.database, services.secrets, email="lan@example.com"))
    assert (await send(browser, "/join", token=mail.token)).headers["location"] == "/console"
    assert "Truong-Son" in text_of(await browser.get("/console"))
    assert (await browser.get(link)).status_code == 410


async def test_a_member_is_changed_and_removed_and_the_last_administrator_stays(browser, lines, boss):
    agent = await lines.hire("agent")
    await sign_in_as(browser, boss, proved=PROVED)
    staff = f"/console/{lines.id}/staff"
    assert (await send(browser, f"{staff}/{agent.id}", role="driver")).headers["location"] == f"{staff}?done=changed"
    assert (await send(browser, f"{staff}/{agent.id}", role="none")).headers["location"] == f"{staff}?done=removed"
    assert (await browser.get(f"{staff}/{agent.id}")).status_code == 404
    answer = await send(browser, f"{staff}/{boss.id}", role="none")
    assert answer.status_code == 409
    assert "at least one administrator" in text_of(answer)


async def test_a_key_is_shown_once_and_revoked(browser, services, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    keys = f"/console/{lines.id}/keys"
    answer = await send(browser, f"{keys}/new", name="", days="30")
    assert (answer.status_code, answer.text.count('class="input__error"')) == (422, 2)
    answer = await send(browser, f"{keys}/new", name="Screens", days="30", **{"scope-bookings:read": "yes"})
    [token] = set(re.findall(r"fbk_[\w-]{40,}", answer.text))
    assert answer.headers["cache-control"] == "no-store"
    assert (await services.sessions.authenticate(token)).kind == "partner"
    page = await browser.get(keys)
    assert token not in page.text
    [ask] = re.findall(r'href="(/console/[^"]+/revoke)"', page.text)
    assert "Revoke the key “Screens”?" in text_of(await browser.get(ask))
    assert (await send(browser, ask)).status_code == 303
    assert "Revoked" in text_of(await browser.get(keys))


async def test_a_device_is_paired_by_the_code_on_the_page(browser, services, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    devices = f"/console/{lines.id}/devices"
    answer = await send(browser, f"{devices}/new", name="Gate 3")
    assert "<svg" in answer.text
    [code] = re.findall(r"<code>([\w-]{19})</code>", answer.text)
    assert "Waits for its code" in text_of(await browser.get(devices))
    async with asking(browser.app) as program:
        assert (await program.post("/api/v1/devices/pair", json={"code": code})).status_code == 200
    page = await browser.get(devices)
    assert "Paired" in text_of(page)
    [revoke] = re.findall(r'href="(/console/[^"]+/revoke)"', page.text)
    assert (await send(browser, revoke)).status_code == 303
    assert "Revoked" in text_of(await browser.get(devices))


async def test_a_phones_browser_becomes_the_device_whose_code_it_gives(browser, services, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    shown = await send(browser, f"/console/{lines.id}/devices/new", name="Gate 3")
    [code] = re.findall(r"<code>([\w-]{19})</code>", shown.text)
    async with AsyncTestClient(browser.app, base_url=str(browser.base_url)) as phone:
        wrong = await send(phone, "/pair", code="AAAA-AAAA-AAAA-AAAA", name="")
        assert (wrong.status_code, "farebox_session" in wrong.cookies) == (422, False)
        paired = await send(phone, "/pair", code=code, name="Gate 3, left")
        assert "Gate 3, left" in text_of(paired)
        assert (await send(phone, "/pair", code=code, name="")).status_code == 422
        actor = await services.sessions.authenticate(paired.cookies["farebox_session"])
    assert (actor.kind, actor.grants) == ("device", ((lines.id, DEVICE_SCOPES),))


async def test_another_operators_console_is_not_there(browser, services, lines, boss):
    other = await make_operator(services.database, services.secrets, "hai-van")
    await sign_in_as(browser, boss, proved=PROVED)
    for section in ("staff", "keys", "devices", "staff/invite", "keys/new", "devices/new"):
        assert (await browser.get(f"/console/{other.id}/{section}")).status_code == 404


async def test_lists_ask_as_much_for_twenty_rows_as_for_one(browser, lines, boss):
    await sign_in_as(browser, boss, proved=PROVED)
    counts = []
    for first, last in ((0, 1), (1, 20)):
        for number in range(first, last):
            await lines.hire("agent", email=f"{number}@truong-son.example")
            await lines.key(name=str(number))
            await lines.device(str(number))
        for section in ("staff", "keys", "devices"):
            with counted_statements() as statements:
                assert (await browser.get(f"/console/{lines.id}/{section}")).status_code == 200
            counts.append(len(statements))
    assert counts[:3] == counts[3:]
