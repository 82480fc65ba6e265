"""Ids of somebody else, put into every address and body: nothing is shown, nothing changes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pyotp
import pytest
from tests.attacks.conftest import ID, PROVED, filled, handlers_of
from tests.people import Somebody, open_session_of, sign_in_as
from tests.staff import Employer, make_operator

from farebox.accounts import SYSTEM, Permission, add_member, begin_totp, confirm_totp, invite, make_device, make_key
from farebox.accounts.people_models import IdentityRow
from farebox.payments import start_payment
from farebox.pricing import NewPromotion, PriceRule, change_price_rule, make_promotion
from farebox.web.console.rule_words import key_of

END = "/account/security/sessions/{session_id:uuid}/end"
"""Says that the session is over, which is so for what was none."""

OVER = [
    "/account/security/authenticator/{factor_id:uuid}",
    "/account/wallet/receipts/{payment_id:uuid}",
    "/api/v1/bookings/{booking_id:uuid}/change",
    "/api/v1/bookings/{booking_id:uuid}/operator-cancellation",
    "/api/v1/wallet/receipts/{payment_id:uuid}/pdf",
    "/bookings/{booking_id:uuid}/invoices/{invoice_id:uuid}",
    "/bookings/{booking_id:uuid}/transfer/{payment_id:uuid}",
    "/checkout/{hold_id:uuid}/passengers",
    "/console/{operator_id:uuid}/till/bookings/{booking_id:uuid}",
    "/console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/payments/{payment_id:uuid}/back",
    "/console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/payments/{payment_id:uuid}/received",
    "/console/{operator_id:uuid}/till/refunds/{refund_id:uuid}/again",
    "/console/{operator_id:uuid}/till/refunds/{refund_id:uuid}/paid",
    "/pay/bank/{payment_id:uuid}",
]
"""What An has had or never had: the app is set up already, no change waits, the booking is not of An's operator and has
no invoice yet, and nothing of it goes back, the seats are no coach's, the payment no transfer, nor one into
a wallet."""

TABLES = (
    "person",
    "person_session",
    "factor",
    "identity",
    "membership",
    "invitation",
    "api_key",
    "device",
    "operator_policy",
    "booking",
    "booking_passenger",
    "hold",
    "claim",
    "invoice_details",
    "payment",
    "consent",
    "fare_terms",
    "price_rule",
    "fare_audit",
    "promotion",
    "sale_terms",
)
BODIES: dict[str, Any] = {
    "/change": {"lockId": ID},
    "/change-quote": {"lockId": ID},
    "/open-return": {"lockId": ID},
    "/open-return-quote": {"lockId": ID},
    "/operator-cancellation": {},
    "/rename": {"fullName": "Eve Evil", "idType": "passport", "idNumber": "C7654321"},
    "/received": {"amount": {"amount": "1", "currency": "EUR"}, "reference": "evil"},
    "/fares": {
        "currency": "EUR",
        "serviceFee": "0.00",
        "byDistance": [
            {"seatType": "standard", "base": "0.00", "per100Km": "0.01", "minimum": "0.00", "step": "0.01"},
        ],
    },
    "/seats/lock": {"tripId": ID, "seatNumbers": ["A1"]},
    "/modify": {"passengers": [], "invoiceTo": {"name": "Evil"}},
    "/bookings/{booking_id:uuid}": {"passengers": [], "invoiceTo": {"name": "Evil"}},
    "/devices": {"name": "Evil"},
    "/keys": {"name": "Evil", "scopes": ["bookings:read"], "days": 30},
    "/invitations": {"email": "eve@example.com", "role": "operator_admin"},
    "/policy": {"requiresSecondFactor": False},
    "/staff/{user_id:uuid}": {"role": "operator_admin"},
    "/auth/factors/{factor_id:uuid}": {"name": "Evil"},
    "/confirm": {"code": "000000"},
}
FORM = {
    "name": "Evil",
    "role": "operator_admin",
    "code": "000000",
    "email": "eve@example.com",
    "password": "evil evil evil",
    "do": "save",
    "kind": "early",
    "percent": "100",
    "ahead": "1",
    "service_fee": "0",
    "amount": "1",
    "reference": "evil",
}


@dataclass
class Things:
    """What An has, by the names of the parameters of addresses."""

    an: Somebody
    lines: Employer
    ids: dict[str, object]


@pytest.fixture
async def things(house, box, an) -> Things:
    services = house.services
    lines = await make_operator(services.database, services.secrets, "truong-son")
    async with services.database.begin(reach="*") as work:
        await add_member(work, lines.id, an.id, "operator_admin", invited_by=None)
        key, _ = await make_key(
            work,
            lines.id,
            name="Screens",
            scopes=frozenset({Permission.BOOKINGS_READ}),
            lasts=timedelta(days=9),
            actor=SYSTEM,
        )
        device, _ = await make_device(work, lines.id, name="Scanner", actor=SYSTEM)
        invitation = await invite(
            work,
            lines.id,
            "binh@example.com",
            "agent",
            actor=SYSTEM,
            secrets=services.secrets,
            language="en",
        )
        rule = PriceRule(kind="early", name="Early bird", percent_bp=-1000, days_ahead=14)
        await change_price_rule(work, lines.id, None, rule, actor=SYSTEM)
        new = NewPromotion(operator_id=lines.id, code="WELCOME10", percent_bp=1000)
        promotion = await make_promotion(work, new, actor=SYSTEM)
        setup = await begin_totp(work, an.id, "Phone", account=an.email, secrets=services.secrets)
        code = pyotp.TOTP(setup.secret).at(house.clock.now)
        await confirm_totp(work, an.id, setup.factor_id, code, secrets=services.secrets)
        work.session.add(
            IdentityRow(
                issuer="https://id.example",
                subject="an",
                person_id=an.id,
                provider="depot",
                email=services.secrets.encrypt(an.email, place="identity.email"),
                created_at=work.now,
                used_at=work.now,
            )
        )
    session = await open_session_of(an, proved=PROVED)
    booking = await box.book(an.actor, await box.hold(an.actor, await box.show(seats=3)))
    hold = await box.hold(an.actor, await box.show(seats=3))
    payment = await start_payment(
        services.database,
        booking.id,
        actor=an.actor,
        method="sandbox",
        providers=services.providers,
        settings=services.settings,
    )
    identities = (await house.client(session.token).get("http://127.0.0.1:8000/api/v1/auth/identities")).json()
    return Things(
        an,
        lines,
        {
            "session_id": session.id,
            "factor_id": setup.factor_id,
            "identity_id": identities["items"][0]["identityId"],
            "booking_id": booking.id,
            "reference": booking.reference,
            "payment_id": payment.id,
            "lock_id": hold.id,
            "hold_id": hold.id,
            "operator_id": lines.id,
            "key_id": key.id,
            "device_id": device.id,
            "invitation_id": invitation.id,
            "user_id": an.id,
            "person_id": an.id,
            "promotion_id": promotion.id,
            "key": key_of(rule),
        },
    )


@pytest.fixture
async def eve(house) -> Somebody:
    """Somebody else, who is an administrator of another operator."""
    services = house.services
    others = await make_operator(services.database, services.secrets, "hai-van")
    return await others.hire("operator_admin", email="eve@example.com", first_name="Eve", last_name="Evil")


def body_of(path):
    return next((body for end, body in BODIES.items() if path.endswith(end)), None)


def theirs(house, things):
    """Every route that names something of somebody's."""
    for method, path, handler in handlers_of(house.app):
        names = {part.strip("{}").partition(":")[0] for part in path.split("/") if part.startswith("{")}
        if names & things.ids.keys() and handler.opt["access"] not in {"public", "internal"}:
            yield method, path, handler


async def state(house):
    async with house.services.database.begin(reach="*") as work:
        told = {}
        for name in TABLES:
            row = "(to_jsonb(t) - 'used_at' - 'token_digest')::text"
            cursor = await work.execute(f"SELECT coalesce(string_agg({row}, '|' ORDER BY {row}), '') FROM {name} t")
            told[name] = (await cursor.fetchone() or [""])[0]
        return told


async def test_somebody_elses_things_are_not_there_whatever_is_asked_of_them(house, visit, things, eve):
    browser = visit()
    await sign_in_as(browser.client, eve, proved=PROVED)
    program = house.client((await open_session_of(eve, proved=PROVED)).token)
    before, asked, wrong = await state(house), 0, []
    for method, path, _ in theirs(house, things):
        asked += 1
        url = filled(path, **things.ids)
        if path.startswith("/api/"):
            answer = await program.request(method, f"http://127.0.0.1:8000{url}", json=body_of(path))
        elif method == "GET":
            answer = await browser.get(url)
        else:
            answer = await browser.post(url, **FORM)
        is_refused = answer.status_code in {403, 404} or (path == END and answer.status_code == 303)
        if not is_refused or "An Nguyễn" in answer.text or things.an.email in answer.text:
            wrong.append((method, path, answer.status_code, answer.text[:200]))
    after = await state(house)
    assert wrong == []
    assert {name for name in TABLES if after[name] != before[name]} == set()
    assert asked > 60


async def test_control_their_owner_sees_them(house, visit, things):
    browser = visit()
    await sign_in_as(browser.client, things.an, proved=PROVED)
    program = house.client((await open_session_of(things.an, proved=PROVED)).token)
    seen = []
    for method, path, _ in theirs(house, things):
        if method == "GET":
            url = filled(path, **things.ids)
            is_api = path.startswith("/api/")
            answer = await (program.get(f"http://127.0.0.1:8000{url}") if is_api else browser.get(url))
            if answer.status_code in {403, 404}:
                seen.append(path)
    assert seen == OVER


async def test_what_is_not_there_and_what_is_somebody_elses_look_alike(house, things, eve):
    program = house.client((await open_session_of(eve, proved=PROVED)).token)
    for method, path, _ in theirs(house, things):
        if not path.startswith("/api/v1"):
            continue
        answers = []
        unknown = {"operator_id": things.lines.id, "reference": "BUS20261120ZZZZZZ"}
        for url in (filled(path, **things.ids), filled(path, **unknown)):
            answer = await program.request(method, f"http://127.0.0.1:8000{url}", json=body_of(path))
            answers.append((answer.status_code, answer.json().get("code")))
        assert answers[0] == answers[1], (method, path)


async def test_ids_in_bodies_reach_nothing_of_somebody_else(house, box, things, eve):
    program = house.client((await open_session_of(eve, proved=PROVED)).token)
    before = await state(house)
    show = await box.show()
    own = await box.hold(eve.actor, show)
    person = {"fullName": "Eve Evil", "idType": "citizen_id", "idNumber": "001099012345", "phone": "0912345678"}
    booking = {
        "passengers": [person | {"seatNumber": "A1", "passengerType": "adult"}],
        "contact": {"email": "eve@example.com", "phone": "0912345678"},
    }
    ids = {name: str(value) for name, value in things.ids.items()}
    for path, body in (
        ("/bookings", booking | {"lockId": ids["hold_id"]}),
        ("/bookings", booking | {"lockIds": [str(own.id), ids["hold_id"]]}),
        ("/payments/create", {"bookingId": ids["booking_id"], "method": "sandbox"}),
        ("/payments/confirm", {"paymentId": ids["payment_id"]}),
    ):
        answer = await program.post(f"http://127.0.0.1:8000/api/v1{path}", json=body)
        assert answer.status_code in {403, 404, 410}, (path, answer.text)
    answer = await program.get("http://127.0.0.1:8000/api/v1/payments/methods", params={"bookingId": ids["booking_id"]})
    assert answer.status_code in {403, 404}
    after = await state(house)
    del before["hold"], before["claim"], after["hold"], after["claim"]  # Eve's own
    assert after == before


async def test_what_a_visitor_asks_for_by_number_is_not_shown(house, visit, things):
    guest = (await house.client().post("http://127.0.0.1:8000/api/v1/guest-sessions")).json()["guestToken"]
    browser = visit()
    browser.client.cookies.set("farebox_session", guest)
    before = await state(house)
    for method, path, handler in theirs(house, things):
        url = filled(path, **things.ids)
        if path.startswith("/api/"):
            answer = await house.client(guest).request(method, f"http://127.0.0.1:8000{url}", json=body_of(path))
            assert answer.status_code in {401, 403, 404}, (method, path, answer.text)
        else:
            answer = await (browser.get(url) if method == "GET" else browser.post(url, **FORM))
            is_sent_to_sign_in = answer.headers.get("location", "").startswith("/sign-in?")
            assert answer.status_code in {403, 404} or is_sent_to_sign_in, (method, path, answer.status_code)
        assert "An Nguyễn" not in answer.text, (method, path)
        assert handler.opt["access"]
    assert await state(house) == before


async def test_a_picture_has_an_address_that_nobody_guesses(house, things):
    """It is shown to whoever knows the address; there is no way from a person's id to it."""
    for name in (f"{things.an.id}-512.webp", f"{things.an.id.hex}-512.webp", f"{UUID(int=1).hex}-96.webp"):
        assert (await house.client().get(f"http://127.0.0.1:8000/api/v1/avatars/{name}")).status_code == 404


async def test_an_export_has_nothing_of_anybody_else(house, things, eve):
    program = house.client((await open_session_of(eve, proved=PROVED)).token)
    for more in ("", f"?userId={things.an.id}", f"?personId={things.an.id}", f"?user_id={things.an.id}"):
        answer = await program.get(f"http://127.0.0.1:8000/api/v1/users/export{more}")
        assert answer.status_code == 200
        assert things.an.email not in answer.text
        assert str(things.an.id) not in answer.text
        assert eve.email in answer.text  # the control
