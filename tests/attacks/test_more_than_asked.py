"""Bodies and forms with more in them than was asked for: nobody makes themselves what they are not."""

import msgspec
import pytest
from tests.attacks.conftest import PROVED, ask_all, handlers_of
from tests.people import open_session_of
from tests.signing.conftest import PASSWORD, token_of
from tests.staff import make_operator

MORE = {
    "roles": ["admin"],
    "role": "operator_admin",
    "operator": True,
    "operatorId": "00000000-0000-7000-8000-000000000000",
    "operators": [],
    "verified": True,
    "isVerified": True,
    "emailVerified": True,
    "verifiedEmail": True,
    "email": "eve@example.com",
    "id": "00000000-0000-7000-8000-000000000000",
    "userId": "00000000-0000-7000-8000-000000000000",
    "personId": "00000000-0000-7000-8000-000000000000",
    "passwordHash": "x",
    "hasSecondFactor": False,
    "proved": ["totp"],
    "owner": "user:00000000-0000-7000-8000-000000000000",
    "createdAt": "2020-01-01T00:00:00Z",
}
BODIES = {
    ("POST", "/auth/register"): {"email": "new@example.com", "password": PASSWORD},
    ("POST", "/auth/login"): {"email": "an.nguyen@example.com", "password": PASSWORD},
    ("POST", "/auth/verify-email"): {"token": "x"},
    ("POST", "/auth/reset-password"): {"token": "x", "newPassword": PASSWORD},
    ("POST", "/auth/change-password"): {"currentPassword": PASSWORD, "newPassword": PASSWORD + "!"},
    ("POST", "/auth/change-email"): {"newEmail": "other@example.com", "currentPassword": PASSWORD},
    ("POST", "/auth/refresh"): {},
    ("POST", "/auth/forgot-password"): {},
    ("POST", "/auth/factors/totp"): {"name": "Phone"},
    ("PUT", "/users/profile"): {"firstName": "Anh"},
    ("PUT", "/users/preferences"): {},
    ("PUT", "/users/settings"): {},
    ("PUT", "/users/consents"): {},
    ("POST", "/invitations/accept"): {"token": "x"},
    ("POST", "/devices/pair"): {"code": "x"},
}


async def who(house):
    return await house.ask(
        "SELECT string_agg(concat_ws(' ', id, roles, email_verified_at, password_hash, created_at), '|' ORDER BY id)"
        " FROM person"
    )


@pytest.mark.parametrize("method_and_path", list(BODIES), ids=" ".join)
async def test_a_field_that_nobody_asked_for_is_refused(house, an, method_and_path):
    method, path = method_and_path
    program = house.client((await open_session_of(an, proved=PROVED)).token)
    body, before = BODIES[method, path], await who(house)
    for name, value in MORE.items():
        if name not in body and not (path == "/auth/forgot-password" and name == "email"):
            answer = await program.request(method, f"http://127.0.0.1:8000/api/v1{path}", json=body | {name: value})
            assert answer.status_code == 400, (name, answer.text)
    assert await who(house) == before


async def test_each_body_of_the_api_refuses_what_it_does_not_know(house):
    """Whatever is added to the API some day: the document says for each body that nothing else may be in it."""
    document = (await house.client().get("http://127.0.0.1:8000/api/v1/openapi.json")).json()
    schemas = document["components"]["schemas"]
    open_ones = set()
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
            for part in [content.get("schema", {}), *content.get("schema", {}).get("oneOf", [])]:
                name = part.get("$ref", "").rpartition("/")[2]
                if name and schemas[name].get("type") == "object" and not _is_closed(house, name):
                    open_ones.add((method, path, name))
    assert open_ones == set()


def _is_closed(house, name):
    """By the class itself: the document leaves it out."""
    for _, _, handler in handlers_of(house.app):
        field = handler.parsed_fn_signature.parameters.get("data")
        for kind in field.annotation.__args__ if field is not None and hasattr(field.annotation, "__args__") else ():
            if getattr(kind, "__name__", "") == name and issubclass(kind, msgspec.Struct):
                return kind.__struct_config__.forbid_unknown_fields
        if field is not None and getattr(field.annotation, "__name__", "") == name:
            return field.annotation.__struct_config__.forbid_unknown_fields
    return True


async def test_more_fields_in_a_form_change_nothing_more(house, home, an):
    before = await house.ask("SELECT concat_ws(' ', roles, email_verified_at, password_hash) FROM person")
    more = {name: str(value) for name, value in MORE.items() if name != "email"}
    snake = {"first_name": "Anh", "roles[]": "admin", "is_verified": "1", "email_verified_at": "now", "person_id": "x"}
    answer = await home.post("/account/profile", **more, **snake)
    assert answer.status_code == 303
    assert await house.ask("SELECT first_name FROM person") == "Anh"  # the control
    await home.post("/account/settings", **more)
    await home.post("/account/preferences", **more)
    assert await house.ask("SELECT concat_ws(' ', roles, email_verified_at, password_hash) FROM person") == before


async def test_who_registers_is_a_traveller_whatever_else_was_sent(house, visit):
    browser = visit()
    more = {name: str(value) for name, value in MORE.items() if name != "email"}
    await browser.post("/register", email="new@example.com", password=PASSWORD, first_name="New", **more)
    row = "SELECT concat_ws(' ', array_to_string(roles, ','), email_verified_at) FROM person"
    assert (await house.ask(row)).strip() == "user"
    link = token_of(await house.mail())
    await browser.post("/verify-email", token=link, **more)
    await house.login("new@example.com", PASSWORD)
    assert await house.ask("SELECT array_to_string(roles, ',') FROM person") == "user"
    assert await ask_all(house, "SELECT count(*) FROM membership") == 0


async def test_nobody_gives_a_role_that_is_not_an_operators(house, an):
    lines = await make_operator(house.services.database, house.services.secrets, "truong-son")
    boss = await lines.hire("operator_admin", email="chu@truong-son.example")
    program = house.client((await open_session_of(boss, proved=PROVED)).token)
    base = f"http://127.0.0.1:8000/api/v1/operators/{lines.id}"
    for role in ("admin", "superuser", "user", "OPERATOR_ADMIN", "", None, ["agent"]):
        answer = await program.post(f"{base}/invitations", json={"email": "binh@example.com", "role": role})
        assert answer.status_code == 400, role
        answer = await program.patch(f"{base}/staff/{boss.id}", json={"role": role})
        assert answer.status_code == 400, role
    for scope in ("staff:manage", "keys:manage", "people:erase", "*", "admin"):
        answer = await program.post(f"{base}/keys", json={"name": "Evil", "scopes": [scope], "days": 30})
        assert answer.status_code in {400, 403, 422}, (scope, answer.text)
    assert await ask_all(house, "SELECT count(*) FROM invitation") == 0
    assert await ask_all(house, "SELECT string_agg(role, ',') FROM membership") == "operator_admin"
