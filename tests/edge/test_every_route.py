"""Every route as everybody: who is let in where, and that nobody reaches what is somebody else's.

The first part walks all routes there are with every kind of credential, up to the door: who is let in is told at once,
and no handler runs. The second goes through the doors, with the ids of other people's things.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import msgspec
import pytest
from litestar.testing import AsyncTestClient
from tests.apps import app_of
from tests.coaches.coach import open_coach
from tests.coaches.visitors import Visitor
from tests.edge.routes import declared
from tests.people import make_person, open_session_of
from tests.staff import Employer, asking, bearer, make_operator, token_of

from farebox.accounts import (
    DEVICE_SCOPES,
    KEY_SCOPES,
    ROLES,
    Permission,
    list_operators,
    open_booking_session,
    open_guest_session,
)
from farebox.api import live
from farebox.core.errors import DomainError
from farebox.edge import access, dependencies
from farebox.edge.access import resolve_actor
from farebox.wiring import build_services

PEOPLE = {"user", "premium", "agent", "driver", "operator_admin", "stale_admin", "other_admin", "admin", "weak_admin"}
VISITORS = {"guest", "booking_session"}
PROGRAMS = {"partner", "device"}
EVERYBODY = {"nobody", *VISITORS, *PEOPLE, *PROGRAMS}

BY_RULE = {
    "public": EVERYBODY,
    "guest": {"guest", *PEOPLE},
    "booking": {*VISITORS, *PEOPLE, "partner"},
    "user": PEOPLE,
    "internal": set(),
}


def let_in(rule: str) -> set[str]:
    """Who is let in by a rule of the table."""
    name, _, fresh = rule.partition(" ")
    allowed = BY_RULE.get(name) or set()
    if name not in BY_RULE:
        permission = Permission(name)
        allowed = {role for role in ("agent", "driver", "operator_admin", "admin") if permission in ROLES[role]}
        if "operator_admin" in allowed:
            allowed |= {"stale_admin", "other_admin"}  # the other operator's objects are the second part's
        allowed |= {"partner"} if permission in KEY_SCOPES else set()
        allowed |= {"device"} if permission in DEVICE_SCOPES else set()
    if fresh:
        allowed = allowed - {"stale_admin", "partner", "device"}
    return allowed


class LetIn(DomainError):
    code = "let-in"


@pytest.fixture
async def services(settings):
    services = build_services(settings)
    yield services
    await services.dispose()


@pytest.fixture
def app(services):
    return app_of(services)


@pytest.fixture
async def lines(services):
    return await make_operator(services.database, services.secrets, "truong-son")


async def credential_of(who, services, lines):
    """The token of a kind of caller."""
    database, secrets = services.database, services.secrets
    if who in VISITORS | {"nobody"}:
        async with database.begin() as work:
            return {
                "nobody": "",
                "guest": (await open_guest_session(work, ttl_seconds=600))[1],
                "booking_session": await open_booking_session(work, uuid4(), ttl_seconds=600),
            }[who]
    if who in PROGRAMS:
        return await (lines.key() if who == "partner" else lines.device())
    if who in {"user", "premium", "admin", "weak_admin"}:
        person = await make_person(database, secrets, roles=sorted({"user", who.removeprefix("weak_")}))
        return await token_of(person, proved=["password", "totp"] if who == "admin" else ["password"])
    if who == "other_admin":
        lines = await make_operator(database, secrets, "hai-van")
    role = who if who in {"agent", "driver"} else "operator_admin"
    proved_at = database.clock() - timedelta(minutes=11 if who == "stale_admin" else 1)
    return await token_of(await lines.hire(role), proved_at=proved_at)


def routes_of(app):
    """(method, path) -> handler."""
    found = {}
    for route in app.routes:
        for handler in getattr(route, "route_handlers", None) or [route.route_handler]:
            for method in getattr(handler, "http_methods", ["WEBSOCKET"]):
                if str(method) != "OPTIONS":
                    found[str(method), route.path] = handler
    return found


def rule_of(handler):
    rule = handler.opt["access"]
    rule = str(handler.opt["permission"]) if rule == "staff" else rule
    return f"{rule} fresh" if handler.opt.get("step_up") else rule


def test_every_route_is_in_the_table_with_its_rule(app):
    actual = {key: rule_of(handler) for key, handler in routes_of(app).items()}
    assert actual == declared()
    assert len(actual) > 200


def test_every_rule_lets_somebody_in_and_keeps_somebody_out():
    for rule in set(declared().values()) - {"public", "internal"}:
        assert set() < let_in(rule) < EVERYBODY, rule


def fill(path, **ids):
    parts = []
    for part in path.split("/"):
        name, _, kind = part.strip("{}").partition(":")
        if not part.startswith("{"):
            parts.append(part)
        else:
            parts.append(str(ids.get(name) or ("00000000-0000-7000-8000-000000000000" if kind == "uuid" else "x")))
    return "/".join(parts)


async def allow_forms(client):
    """The token that forms carry."""
    await client.get("/find")
    return {"X-CSRFToken": client.cookies["farebox_csrf"]}


@pytest.fixture
def doors_only(monkeypatch):
    """No handler runs: who is let in is told at once."""

    async def stop_behind_the_door(connection, sessions):
        await resolve_actor(connection, sessions)
        raise LetIn

    for module in (dependencies, live):
        monkeypatch.setattr(module, "resolve_actor", stop_behind_the_door)


async def treated_wrongly(app, who, token):
    """The routes at whose doors somebody was treated otherwise than the table says."""
    wrong = {}
    async with AsyncTestClient(app) as client:
        headers = await allow_forms(client) | (bearer(token) if token else {})
        for (method, path), handler in routes_of(app).items():
            rule = declared().get((method, path))
            if rule is None or method == "WEBSOCKET":
                assert method != "WEBSOCKET" or rule in {"public", None}  # shaken hands with below
                continue
            if rule != "internal" and "actor" not in handler.parsed_fn_signature.parameters:
                assert rule == "public", f"{method} {path} never looks at who is asking"
                continue
            content: dict[str, Any] = (
                {} if method in {"GET", "HEAD", "DELETE"} else {"json" if "/api/" in path else "data": {}}
            )
            answer = await client.request(
                method, fill(path), headers=headers, params=NEEDED, follow_redirects=False, **content
            )
            is_sent_away = answer.headers.get("location", "").startswith(("/sign-in", "/account/"))
            is_refused = answer.status_code in {401, 403} or is_sent_away
            if is_refused == (who in let_in(rule)):
                wrong[method, path] = (rule, answer.status_code, answer.text[:80])
    return wrong


NEEDED = {
    "reference": "BUS20261125K7QM2X",
    "bookingId": "00000000-0000-7000-8000-000000000000",
    "currency": "EUR",
}
"""What some addresses cannot do without."""


@pytest.mark.parametrize("who", sorted(EVERYBODY))
async def test_who_is_let_in_where(app, services, lines, doors_only, who):
    assert await treated_wrongly(app, who, await credential_of(who, services, lines)) == {}


async def test_control_without_the_doors_rules_the_walk_finds_who_is_let_in(
    app, services, lines, doors_only, monkeypatch
):
    monkeypatch.setattr(access, "_refuse_others", lambda *_: None)
    wrong = await treated_wrongly(app, "device", await credential_of("device", services, lines))
    assert len(wrong) > 100


async def shaken_hands(app, path, token):
    """The status with which a WebSocket is refused, or 101, and the code of the problem."""
    headers = [(b"host", b"127.0.0.1:8000"), *((k.lower().encode(), v.encode()) for k, v in bearer(token).items())]
    scope = {
        "type": "websocket",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "headers": headers if token else headers[:1],
        "client": ("127.0.0.1", 50_000),
        "server": ("127.0.0.1", 8000),
        "scheme": "ws",
        "root_path": "",
        "http_version": "1.1",
        "subprotocols": [],
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
    sent = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        sent.append(message)

    await app(scope, receive, send)
    return sent[0].get("status", 101), msgspec.json.decode(sent[1]["body"])["code"]


@pytest.mark.parametrize("who", sorted(EVERYBODY))
async def test_everybody_comes_in_to_watch_as_far_as_the_trip(app, services, lines, who):
    path = fill("/api/v1/trips/{trip_id:uuid}/live")
    assert await shaken_hands(app, path, await credential_of(who, services, lines)) == (404, "departure-not-found")


async def test_nobody_watches_with_a_credential_that_is_none(app):
    path = fill("/api/v1/trips/{trip_id:uuid}/live")
    assert await shaken_hands(app, path, "fbg_nobody") == (401, "credential-required")


# What is whose


@dataclass
class Things:
    """What somebody has: a lock, a booking with its payment, a sign-in."""

    trip_id: str
    lock_id: str
    booking_id: str
    reference: str
    payment_id: str
    session_id: str
    person_id: str
    email: str

    @property
    def ids(self):
        return {
            "booking_id": self.booking_id,
            "lock_id": self.lock_id,
            "hold_id": self.lock_id,
            "payment_id": self.payment_id,
            "reference": self.reference,
            "session_id": self.session_id,
            "user_id": self.person_id,
            "person_id": self.person_id,
        }


PASSENGER = {"fullName": "Lê An", "idType": "passport", "idNumber": "C1234567", "phone": "+84912345678"}


@pytest.fixture
async def coach(services, settings, tmp_path):
    return await open_coach(services.database, settings, tmp_path)


@pytest.fixture
async def things(app, services, coach):
    victim = await make_person(services.database, services.secrets, email="an.le@example.com")
    session = await open_session_of(victim)
    async with asking(app) as client:
        an = Visitor(client, coach, session.token)
        lock = await an.held("1A")
        body = {
            "lockId": lock["lockId"],
            "passengers": [{"seatNumber": "1A", "passengerType": "adult"} | PASSENGER],
            "contact": {"email": victim.email, "phone": "+84912345678"},
        }
        booking = (await an.send("POST", "/bookings", body)).json()
        payment = (
            await an.send("POST", "/payments/create", {"bookingId": booking["bookingId"], "method": "sandbox"})
        ).json()
        lock = await an.held("2A")
    return Things(
        str(coach.id),
        lock["lockId"],
        booking["bookingId"],
        booking["bookingReference"],
        payment["paymentId"],
        str(session.id),
        str(victim.id),
        victim.email,
    )


async def state_of(services, things):
    async with services.database.begin(reach="*") as work:
        questions = (
            "SELECT booking::text FROM booking",
            "SELECT booking_passenger::text FROM booking_passenger",
            "SELECT hold::text FROM hold ORDER BY id",
            "SELECT payment::text FROM payment",
            "SELECT person::text FROM person WHERE id = %s",
            "SELECT person_id::text, ends_at::text FROM person_session WHERE person_id = %s",
        )
        return [
            await (await work.execute(each, [things.person_id] if "%s" in each else None)).fetchall()
            for each in questions
        ]


@pytest.mark.parametrize(
    "who", ["guest", "booking_session", "user", "agent", "operator_admin", "other_admin", "partner", "device"]
)
async def test_nobody_reaches_what_is_somebody_elses(app, services, lines, things, who):
    """With the ids of another's lock, booking, payment and sign-in in every address that takes one."""
    token = await credential_of(who, services, lines)
    before = await state_of(services, things)
    reached = {}
    async with AsyncTestClient(app) as client:
        headers = await allow_forms(client) | bearer(token)
        for method, path in declared():
            takes = [name for name in things.ids if f"{{{name}:" in path]
            if not takes or method == "WEBSOCKET" or "sandbox" in path:
                continue  # the demo's bank plays for anybody; production has none
            ids = things.ids | {"operator_id": lines.id}
            for body in bodies(path) if method not in {"GET", "HEAD", "DELETE"} else [{}]:
                sent = {"json" if path.startswith("/api/") else "data": body} if body is not None else {}
                answer = await client.request(
                    method,
                    fill(path, **ids),
                    headers=headers,
                    follow_redirects=False,
                    **(sent if method not in {"GET", "HEAD", "DELETE"} else {}),
                )
                is_sent_on = answer.headers.get("location", "").startswith(("/sign-in", "/account/"))
                if answer.status_code < 400 and not is_sent_on:
                    reached[method, path] = (answer.status_code, answer.text[:100])
                assert things.email not in answer.text
    assert reached == {}
    assert await state_of(services, things) == before


def bodies(path):
    """Bodies that are fit for an address, so that it is not they that are refused; else an empty one."""
    people = {"passengers": [{"seatNumber": "1A", "passengerType": "adult"} | PASSENGER]}
    fit = {
        "/api/v1/bookings/{booking_id:uuid}": [people],
        "/api/v1/bookings/{booking_id:uuid}/modify": [people],
        "/bookings/{booking_id:uuid}": [{"cancel": "1"}, {"extend": "1"}, {"email": "1"}],
    }
    return fit.get(path, [{}])


@pytest.mark.parametrize("who", ["guest", "user", "operator_admin", "partner"])
async def test_nobody_books_or_pays_with_somebody_elses_ids(app, services, lines, things, who):
    token = await credential_of(who, services, lines)
    async with asking(app, token) as client:
        booked = await client.post(
            "/api/v1/bookings",
            json={
                "lockId": things.lock_id,
                "passengers": [{"seatNumber": "2A", "passengerType": "adult"} | PASSENGER],
                "contact": {"email": "eve@example.com", "phone": "+84912345678"},
            },
        )
        paid = await client.post("/api/v1/payments/create", json={"bookingId": things.booking_id, "method": "sandbox"})
        methods = await client.get(f"/api/v1/payments/methods?bookingId={things.booking_id}")
        listed = await client.get("/api/v1/bookings")
    assert (booked.status_code, paid.status_code, methods.status_code) == (403 if who == "partner" else 404, 404, 404)
    assert listed.json()["items"] == []


async def test_who_acts_for_the_operator_reaches_its_bookings_as_far_as_they_may(app, services, coach, things):
    """The control of the tests above: with the right operator the same ids are found."""
    async with services.database.begin() as work:
        [(operator_id,)] = await (await work.execute("SELECT DISTINCT operator_id FROM booking_item")).fetchall()
        operator = (await list_operators(work, [operator_id]))[operator_id]
    employer = Employer(operator.id, operator.code, services.database, services.secrets)
    path = f"/api/v1/bookings/{things.booking_id}"
    reading = (Permission.BOOKINGS_READ, Permission.PASSENGERS_READ)
    for token, seen in [
        (await token_of(await employer.hire("agent")), 200),
        (await token_of(await employer.hire("driver")), 404),
        (await employer.key(*reading), 200),
        (await employer.key(Permission.BOOKINGS_READ), 404),  # a booking names its passengers
        (await employer.key(Permission.DEPARTURES_READ), 404),
    ]:
        async with asking(app, token) as client:
            assert (await client.get(path)).status_code == seen
    async with asking(app, await employer.key(*reading)) as client:
        answer = await client.delete(path)  # may see, may not change
        assert (answer.status_code, answer.json()["code"]) == (404, "booking-not-found")
    async with asking(app, await employer.key(Permission.BOOKINGS_CHANGE, *reading)) as client:
        assert (await client.delete(path)).status_code == 200
