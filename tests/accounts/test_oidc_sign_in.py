"""Signing in with another provider, from button to session, over HTTP on both sides."""

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx
import pyotp
import pytest
import time_machine
from sqlalchemy import select
from tests.accounts.browser import Browser, path_of
from tests.accounts.provider import public, running_provider
from tests.apps import app_of
from tests.people import PASSWORD, make_person, sign_in_as

from farebox.accounts import OidcClient, Provider, begin_totp, confirm_totp, list_identities
from farebox.accounts.people_models import IdentityRow, PersonRow
from farebox.core.outbox import OutboxEvent

GOOGLE, DEPOT = "/auth/google", "/auth/oidc/depot"


@pytest.fixture(scope="module")
def running():
    with running_provider() as google, running_provider() as depot:
        yield google, depot


@pytest.fixture
def google(running):
    google, _ = running
    google.reset()
    google.knows("an-1", email="An.Nguyen@example.com", email_verified=True, given_name="An", family_name="Nguyễn")
    return google


@pytest.fixture
def depot(running):
    _, depot = running
    depot.reset()
    depot.knows("an-1", email="an.nguyen@example.com", email_verified=True, name="An Nguyễn")
    return depot


@pytest.fixture
async def services(services, google, depot):
    providers = {
        "google": Provider("google", "Google", google.discovery, "farebox", "secret"),
        "depot": Provider("depot", "Depot", depot.discovery, "farebox", "secret"),
    }
    oidc = OidcClient(providers)
    yield replace(services, oidc=oidc)
    await oidc.dispose()


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


async def begin(browser, path=GOOGLE, **query):
    answer = await browser.get(path, params=query)
    assert answer.status_code == 302, answer.text
    return answer.headers["location"]


def back(url):
    """The callback as the browser comes to it."""
    address = urlsplit(url)
    return f"{address.path}?{address.query}"


async def go_through(browser, provider, subject="an-1", path=GOOGLE, **query):
    """There, agree, and back."""
    url = await begin(browser, path, **query)
    return await browser.get(back(await asyncio.to_thread(provider.consent, url, subject)))


async def who(services, browser):
    return await services.sessions.authenticate(browser.client.cookies["farebox_session"])


async def linked(services, person_id):
    async with services.database.begin() as work:
        return [each.provider for each in await list_identities(work, person_id, secrets=services.secrets)]


async def test_a_new_address_makes_a_verified_account_and_signs_in(browser, google, services, secrets):
    answer = await go_through(browser, google, next="/account/bookings")
    assert (answer.status_code, path_of(answer)) == (303, "/account/bookings")
    actor = await who(services, browser)
    assert actor.proved == {"oidc:google"}
    async with services.database.begin() as work:
        person = await work.session.get_one(PersonRow, actor.id)
        assert (person.first_name, person.last_name, person.password_hash) == ("An", "Nguyễn", None)
        assert person.email_verified_at is not None
        assert secrets.decrypt(person.email) == "An.Nguyen@example.com"
        [identity] = (await work.session.scalars(select(IdentityRow))).all()
        assert (identity.issuer, identity.subject, identity.person_id) == (google.url, "an-1", actor.id)
        assert b"example.com" not in identity.email
        types = set(await work.session.scalars(select(OutboxEvent.type)))
        assert types == {"user.registered", "user.logged_in"}


async def test_the_same_identity_comes_to_the_same_account_whatever_its_address_is_now(visit, google, services):
    first, again = visit(), visit()
    await go_through(first, google)
    google.knows("an-1", email="moved@example.com", email_verified=True)
    await go_through(again, google)
    assert (await who(services, again)).id == (await who(services, first)).id
    async with services.database.begin() as work:
        assert len((await work.session.scalars(select(PersonRow))).all()) == 1


async def test_the_same_subject_at_another_issuer_is_somebody_else(visit, google, depot, services):
    depot.knows("an-1", email="binh@example.com", email_verified=True)
    one, other = visit(), visit()
    await go_through(one, google)
    await go_through(other, depot, path=DEPOT)
    assert (await who(services, one)).id != (await who(services, other)).id


async def test_an_account_that_was_here_before_is_opened_by_no_address(browser, google, services, an):
    answer = await go_through(browser, google)
    assert (answer.status_code, path_of(answer)) == (303, "/account/link")
    assert "farebox_session" not in browser.client.cookies
    told = await browser.get("/account/link")
    assert "You already have an account" in told.text
    assert 'href="/forgot-password?next=%2Faccount%2Flink"' in told.text
    assert await linked(services, an.id) == []


async def test_its_owner_signs_in_and_links_the_two(visit, google, services, an):
    browser = visit()
    await go_through(browser, google)
    signed = await browser.post("/sign-in", email=an.email, password=PASSWORD, next="/account/link")
    assert path_of(signed) == "/account/link"
    asked = await browser.get("/account/link")
    assert "an.nguyen@example.com" in asked.text
    assert "An.Nguyen@example.com" in asked.text
    done = await browser.post("/account/link")
    assert (done.status_code, path_of(done)) == (303, "/account/security")
    assert await linked(services, an.id) == ["google"]
    later = visit()
    await go_through(later, google)
    assert (await who(services, later)).id == an.id


async def test_what_waits_is_linked_once_and_in_that_browser_only(visit, google, services, an):
    browser, other = visit(), visit()
    await go_through(browser, google)
    await sign_in_as(other.client, an)
    nothing = await other.post("/account/link")
    assert (nothing.status_code, "nothing to link" in nothing.text) == (422, True)
    await sign_in_as(browser.client, an)
    token = next(cookie.value for cookie in browser.client.cookies.jar if cookie.name == "farebox_link")
    assert (await browser.post("/account/link")).status_code == 303
    browser.client.cookies.set("farebox_link", token, path="/account/link")
    assert (await browser.post("/account/link")).status_code == 422


async def test_linking_needs_a_fresh_proof(browser, google, an, services):
    await go_through(browser, google)
    await sign_in_as(browser.client, an, proved_at=datetime.now(UTC) - timedelta(minutes=11))
    answer = await browser.post("/account/link")
    assert (answer.status_code, path_of(answer)) == (303, "/account/confirm?next=%2Faccount%2Flink")
    assert await linked(services, an.id) == []


async def test_who_has_signed_in_links_and_unlinks_a_provider(browser, depot, services, an):
    depot.knows("bus", email="other@example.com", email_verified=True)
    await sign_in_as(browser.client, an)
    answer = await go_through(browser, depot, "bus", DEPOT, intent="link")
    assert path_of(answer) == "/account/link"
    assert await linked(services, an.id) == []  # before they have said so
    await browser.post("/account/link")
    assert await linked(services, an.id) == ["depot"]
    async with services.database.begin() as work:
        [identity] = await list_identities(work, an.id, secrets=services.secrets)
    url = f"/account/security/identities/{identity.id}/remove"
    assert "other@example.com" in (await browser.get(url)).text
    assert (await browser.post(url)).status_code == 303
    assert await linked(services, an.id) == []


async def test_an_identity_belongs_to_one_account(visit, google, services, secrets):
    mine, theirs = visit(), visit()
    await go_through(mine, google)
    binh = await make_person(services.database, secrets, email="binh@example.com")
    await sign_in_as(theirs.client, binh)
    await go_through(theirs, google, intent="link")
    refused = await theirs.post("/account/link")
    assert refused.status_code == 422
    assert "linked to another account here already" in refused.text
    assert await linked(services, binh.id) == []


async def test_the_last_way_in_is_not_taken_away(browser, google, services):
    await go_through(browser, google)
    person_id = (await who(services, browser)).id
    async with services.database.begin() as work:
        [identity] = await list_identities(work, person_id, secrets=services.secrets)
    refused = await browser.post(f"/account/security/identities/{identity.id}/remove")
    assert refused.status_code == 409
    assert "only way to sign in" in refused.text
    assert await linked(services, person_id) == ["google"]


async def test_nobody_unlinks_for_somebody_else(visit, google, services, secrets):
    mine, theirs = visit(), visit()
    await go_through(mine, google)
    async with services.database.begin() as work:
        [identity] = await list_identities(work, (await who(services, mine)).id, secrets=services.secrets)
    await sign_in_as(theirs.client, await make_person(services.database, secrets, email="binh@example.com"))
    assert (await theirs.post(f"/account/security/identities/{identity.id}/remove")).status_code == 404


async def test_who_has_a_second_factor_gives_it_here_too(visit, google, services, secrets):
    browser = visit()
    await go_through(browser, google)
    person_id = (await who(services, browser)).id
    now = datetime.now(UTC)
    async with services.database.begin() as work:
        setup = await begin_totp(work, person_id, "Phone", account="", secrets=secrets)
    async with services.database.begin() as work:
        code = pyotp.TOTP(setup.secret).at(now - timedelta(seconds=30))
        assert await confirm_totp(work, person_id, setup.factor_id, code, secrets=secrets)
    later = visit()
    answer = await go_through(later, google, next="/account/bookings")
    assert path_of(answer) == "/sign-in/code?next=%2Faccount%2Fbookings"
    assert "farebox_session" not in later.client.cookies
    code = pyotp.TOTP(setup.secret).at(datetime.now(UTC))
    done = await later.post("/sign-in/code", code=code, next="/account/bookings")
    assert path_of(done) == "/account/bookings"
    assert (await who(services, later)).proved == {"oidc:google", "totp"}


async def test_an_answer_is_taken_once(browser, google, services):
    url = await begin(browser)
    address = back(await asyncio.to_thread(google.consent, url, "an-1"))
    assert (await browser.get(address)).status_code == 303
    again = await browser.get(address)
    assert (again.status_code, "This sign-in is over" in again.text) == (410, True)
    assert len(google.redeemed) == 1


async def test_an_answer_is_taken_in_the_browser_that_asked_only(visit, google):
    """Else somebody could be signed in to the account of somebody who wants to see what they do."""
    attacker, victim = visit(), visit()
    address = back(await asyncio.to_thread(google.consent, await begin(attacker), "an-1"))
    await begin(victim)
    refused = await victim.get(address)
    assert refused.status_code == 410
    assert "farebox_session" not in victim.client.cookies
    assert google.redeemed == []
    assert (await attacker.get(address)).status_code == 303  # the control


@pytest.mark.parametrize("state", [None, "", "fbc_guessed", "x" * 5000])
async def test_an_answer_without_its_state_is_not_taken(browser, google, state):
    url = await begin(browser)
    query = parse_qs(urlsplit(await asyncio.to_thread(google.consent, url, "an-1")).query)
    given = {"code": query["code"][0]} | ({} if state is None else {"state": state})
    refused = await browser.get(f"{GOOGLE}/callback", params=given)
    assert refused.status_code == 410
    assert google.redeemed == []


@pytest.mark.parametrize(("minutes", "status"), [(9, 303), (10, 410)])
async def test_an_answer_is_taken_for_ten_minutes(browser, google, minutes, status):
    now = datetime.now(UTC)
    with time_machine.travel(now, tick=False):
        url = await begin(browser)
    address = back(await asyncio.to_thread(google.consent, url, "an-1"))
    google.keys = [public("RS256")]
    google.forge = lambda claims: google.sign(
        {**claims, "iat": int(now.timestamp()) + 60 * minutes, "exp": int(now.timestamp()) + 60 * minutes + 300}
    )
    with time_machine.travel(now + timedelta(minutes=minutes), tick=True):
        assert (await browser.get(address)).status_code == status


async def test_the_answer_of_one_provider_is_not_taken_for_anothers(browser, google, depot):
    """The mix-up: a provider that somebody controls is given the code of another one."""
    url = await begin(browser)
    query = urlsplit(await asyncio.to_thread(google.consent, url, "an-1")).query
    assert (await browser.get(f"{DEPOT}/callback?{query}")).status_code == 410
    url = await begin(browser)
    query = urlsplit(await asyncio.to_thread(google.consent, url, "an-1")).query
    assert (await browser.get(f"{GOOGLE}/callback?{query}&iss={depot.url}")).status_code == 422
    assert (google.redeemed, depot.redeemed) == ([], [])


async def test_who_cancels_reads_so_and_may_try_again(browser, google):
    url = await begin(browser)
    answer = await browser.get(back(await asyncio.to_thread(google.deny, url)))
    assert answer.status_code == 403
    assert "You were not signed in" in answer.text
    assert 'href="/auth/google"' in answer.text
    assert 'href="/sign-in"' in answer.text


TILL = "/bookings/3/review?said=so"
NEXT = urlencode({"next": TILL})


def ways_on(answer):
    """Where the page leads, tokens and all."""
    return [unescape(url) for url in re.findall(r'<a class="btn[^"]*" href="([^"]+)"', answer.text)]


async def test_where_somebody_was_going_is_kept_when_the_provider_refuses(browser, google):
    coming = await browser.get(back(await asyncio.to_thread(google.deny, await begin(browser, next=TILL))))
    google.knows("an-2", email="an@example.com", email_verified=False)
    unverified = await go_through(browser, google, "an-2", next=TILL)
    for answer, status in ((coming, 403), (unverified, 422)):
        assert answer.status_code == status
        assert ways_on(answer) == [f"{GOOGLE}?{NEXT}", f"/sign-in?{NEXT}"]


async def test_where_somebody_was_going_is_kept_when_the_provider_is_silent(browser, google):
    google.status = 500
    assert ways_on(await browser.get(GOOGLE, params={"next": TILL})) == [f"{GOOGLE}?{NEXT}", f"/sign-in?{NEXT}"]


async def test_a_refused_sign_in_leads_to_no_other_site(browser, google):
    for evil in ("https://evil.example", "//evil.example", "/\\evil.example"):
        url = await begin(browser, next=evil)
        answer = await browser.get(back(await asyncio.to_thread(google.deny, url)))
        assert ways_on(answer) == [GOOGLE, "/sign-in"]


async def test_who_was_to_prove_anew_and_cancels_is_asked_for_the_same_again(browser, google):
    await go_through(browser, google)
    url = await begin(browser, intent="confirm", next="/account/privacy/erase")
    again, other = ways_on(await browser.get(back(await asyncio.to_thread(google.deny, url))))
    assert again == f"{GOOGLE}?intent=confirm&next=%2Faccount%2Fprivacy%2Ferase"
    assert path_of(await browser.get(other)) == "/account/privacy/erase"


async def test_where_somebody_was_going_is_kept_while_they_link_an_account(browser, google, services, an):
    arrived = path_of(await go_through(browser, google, next=TILL))
    assert arrived == f"/account/link?{NEXT}"
    sign_in, forgot = ways_on(await browser.get(arrived))
    link = urlencode({"next": arrived})
    assert (sign_in, forgot) == (f"/sign-in?{link}", f"/forgot-password?{link}")
    await sign_in_as(browser.client, an)
    page = (await browser.get(path_of(await browser.get(sign_in)))).text
    assert f'name="next" value="{TILL}"' in page
    assert path_of(await browser.post("/account/link", next="//evil.example")) == "/account/security"
    await go_through(browser, google, intent="link")
    assert path_of(await browser.post("/account/link", next=TILL)) == TILL


async def test_an_address_that_is_not_verified_there_makes_no_account(browser, google, services):
    google.knows("an-1", email="an@example.com", email_verified=False)
    answer = await go_through(browser, google)
    assert answer.status_code == 422
    assert "not verified" in answer.text
    async with services.database.begin() as work:
        assert (await work.session.scalars(select(PersonRow))).all() == []


async def test_a_provider_out_of_order_is_a_page_that_says_so(browser, google):
    google.status = 500
    answer = await browser.get(GOOGLE)
    assert (answer.status_code, "No answer from the provider" in answer.text) == (503, True)


async def test_no_transaction_is_open_while_a_provider_is_asked(browser, google, services):
    url = await begin(browser)
    address = back(await asyncio.to_thread(google.consent, url, "an-1"))
    google.delay = 1.0
    coming = asyncio.create_task(browser.get(address))
    await asyncio.to_thread(google.asked_for_token.wait, 10)
    async with services.database.begin() as work:
        cursor = await work.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            " AND xact_start IS NOT NULL AND backend_type = 'client backend'"
        )
        assert (await cursor.fetchone()) == (0,)
    assert (await coming).status_code == 303


@pytest.mark.parametrize("evil", ["https://evil.example", "//evil.example", "/\\evil.example"])
async def test_nobody_is_sent_to_another_site_afterwards(browser, google, evil):
    assert path_of(await go_through(browser, google, next=evil)) == "/account"


async def test_a_signed_in_person_proves_anew_at_their_provider(browser, google, services):
    await go_through(browser, google)
    actor = await who(services, browser)
    async with services.database.begin() as work:
        await work.execute(
            "UPDATE person_session SET proved_at = now() - interval '1 hour' WHERE id = %s", [actor.session_id]
        )
    page = await browser.get("/account/confirm", params={"next": "/account/security/authenticator"})
    assert "Confirm with Google" in page.text
    query = {"intent": "confirm", "next": "/account/security/authenticator"}
    assert "max_age=0" in await begin(browser, **query)
    answer = await go_through(browser, google, **query)
    assert path_of(answer) == "/account/security/authenticator"
    assert (await browser.get("/account/security/authenticator")).status_code == 200


async def test_somebody_elses_account_there_proves_nothing(browser, google, services):
    await go_through(browser, google)
    session_id = (await who(services, browser)).session_id
    async with services.database.begin() as work:
        await work.execute(
            "UPDATE person_session SET proved_at = now() - interval '1 hour' WHERE id = %s", [session_id]
        )
    google.knows("binh-1", email="binh@example.com", email_verified=True)
    assert (await go_through(browser, google, "binh-1", intent="confirm")).status_code == 422
    stale = await browser.get("/account/security/authenticator")
    assert path_of(stale).startswith("/account/confirm")


@pytest.mark.parametrize("intent", ["link", "confirm"])
async def test_who_has_not_signed_in_neither_links_nor_confirms(browser, google, intent):
    assert (await browser.get(GOOGLE, params={"intent": intent})).status_code == 403


async def test_the_api_names_the_providers_and_sends_browsers_there(client_of, google, services):
    client = await client_of()
    items = (await client.get("/auth/providers")).json()["items"]
    assert [(item["name"], item["label"], item["url"]) for item in items] == [
        ("google", "Google", "http://127.0.0.1:8000/auth/google"),
        ("depot", "Depot", "http://127.0.0.1:8000/auth/oidc/depot"),
    ]
    answer = await client.get("/auth/google", params={"next": "/account/bookings"})
    assert answer.status_code == 302
    url = answer.headers["location"]
    assert url.startswith(f"{google.url}/oauth2/authorize?")
    assert parse_qs(urlsplit(url).query)["redirect_uri"] == ["http://127.0.0.1:8000/auth/google/callback"]
    query = urlsplit(await asyncio.to_thread(google.consent, url, "an-1")).query
    on = await client.get(f"/auth/google/callback?{query}")
    assert (on.status_code, on.headers["location"]) == (302, f"/auth/google/callback?{query}")
    arrived = await client.get(f"http://127.0.0.1:8000/auth/google/callback?{query}")
    assert (arrived.status_code, path_of(arrived)) == (303, "/account/bookings")


@pytest.mark.parametrize("path", ["/auth/oidc/nobody", "/auth/oidc/nobody/callback"])
async def test_a_provider_that_is_not_named_is_not_there(browser, client_of, path):
    assert (await browser.get(path)).status_code == 404
    answer = await (await client_of()).get(path)
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown-identity-provider")


async def test_two_who_come_at_once_with_a_new_address_get_one_account(visit, google, services):
    browsers = [visit() for _ in range(3)]
    urls = [await begin(browser) for browser in browsers]
    addresses = [back(await asyncio.to_thread(google.consent, url, "an-1")) for url in urls]
    answers = await asyncio.gather(
        *(browser.get(address) for browser, address in zip(browsers, addresses, strict=True))
    )
    assert [path_of(answer) for answer in answers] == ["/account"] * 3
    async with services.database.begin() as work:
        assert len((await work.session.scalars(select(PersonRow))).all()) == 1
        assert len((await work.session.scalars(select(IdentityRow))).all()) == 1
