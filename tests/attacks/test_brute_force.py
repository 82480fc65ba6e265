"""Guessing, with the limits on: passwords, codes and links, from one address and from many."""

from collections import Counter

import pytest
from tests.people import make_person
from tests.signing.conftest import PASSWORD

from farebox.edge.rate_limits import BUCKETS

SIGN_INS = BUCKETS["sign-in"].limit
MOST = 10
"""Wrong passwords for one account in a quarter of an hour."""


@pytest.fixture
async def an(limited):
    return await make_person(limited.services.database, limited.services.secrets)


async def guess(browser, email, password="not it at all", **headers):
    body = {"email": email, "password": password}
    return await browser.client.post("/api/v1/auth/login", json=body, headers=headers)


async def test_one_address_tries_many_accounts_only_so_often(limited, visit):
    """One password for many accounts: no account closes, so the address must."""
    browser = visit(limited, "203.0.113.7")
    answers = [await guess(browser, f"somebody-{number}@example.com") for number in range(SIGN_INS + 1)]
    assert Counter(answer.status_code for answer in answers) == {401: SIGN_INS, 429: 1}
    assert int(answers[-1].headers["retry-after"]) > 0
    page = await browser.post("/sign-in", email="another@example.com", password="x")
    assert page.status_code == 429
    assert (await guess(visit(limited, "203.0.113.8"), "a@example.com")).status_code == 401  # the control


async def test_headers_make_nobody_another_address(limited, visit):
    """What a proxy adds counts only when the server was told to trust it, which the application never sees."""
    browser = visit(limited, "203.0.113.7")
    statuses = []
    for number in range(SIGN_INS + 1):
        fake = f"198.51.100.{number}"
        headers = {"X-Forwarded-For": fake, "X-Real-IP": fake, "Forwarded": f"for={fake}", "True-Client-IP": fake}
        statuses.append((await guess(browser, f"somebody-{number}@example.com", **headers)).status_code)
    assert statuses[-1] == 429


async def test_a_household_is_one_address_however_many_it_has(limited, visit):
    statuses = [
        (await guess(visit(limited, f"2001:db8:1:2::{number:x}"), f"s{number}@example.com")).status_code
        for number in range(1, SIGN_INS + 2)
    ]
    assert statuses[-1] == 429


async def test_one_account_is_tried_from_many_addresses_only_so_often(limited, visit, an):
    """Through the page and the API alike, written in whatever way; and the right password does not help then."""
    ways = [an.email, an.email.upper(), f" {an.email} ", an.email.replace("example", "EXAMPLE")]
    for number in range(MOST):
        answer = await guess(visit(limited, f"203.0.113.{number}"), ways[number % len(ways)])
        assert answer.status_code == 401
    for number, password in enumerate(["wrong again", PASSWORD]):
        answer = await guess(visit(limited, f"198.51.100.{number}"), an.email, password)
        assert (answer.status_code, answer.json()["code"]) == (429, "too-many-attempts")
        page = await visit(limited, f"198.51.100.{number + 10}").post("/sign-in", email=an.email, password=password)
        assert page.status_code == 429
    limited.clock.turn(minutes=16)
    assert (await guess(visit(limited, "198.51.100.99"), an.email, PASSWORD)).status_code == 200  # the control


async def test_codes_links_and_pairings_are_not_guessed_from_one_address(limited, visit, an):
    doors = {
        "/reset-password": {"token": "fbl_guess", "newPassword": PASSWORD},
        "/verify-email": {"token": "fbl_guess"},
        "/change-email/confirm": {"token": "fbl_guess"},
        "/login/second-factor": {"challengeToken": "fbc_guess", "code": "000000"},
        "/forgot-password": {"email": an.email},
        "/resend-verification": {"email": an.email},
        "/register": {"email": an.email, "password": PASSWORD},
        "/passkeys/sign-in/options": {},
    }
    for number, (path, body) in enumerate(doors.items()):
        browser = visit(limited, f"203.0.113.{number}")
        statuses = [
            (await browser.client.post(f"/api/v1/auth{path}", json=body)).status_code for _ in range(SIGN_INS + 1)
        ]
        assert (statuses[0] < 429, statuses[-1]) == (True, 429), path
    browser = visit(limited, "203.0.113.99")
    statuses = [
        (await browser.client.post("/api/v1/devices/pair", json={"code": "AAAA-AAAA"})).status_code
        for _ in range(SIGN_INS + 1)
    ]
    assert statuses[-1] == 429


async def test_nobodys_mailbox_is_filled_from_many_addresses(limited, visit, an):
    """Each wish is answered alike, but not each is mailed."""
    for number in range(12):
        browser = visit(limited, f"203.0.113.{number}")
        await browser.client.post("/api/v1/auth/forgot-password", json={"email": an.email})
        await browser.client.post("/api/v1/auth/register", json={"email": "new@example.com", "password": PASSWORD})
    mails = Counter((mail.recipient, str(mail.kind)) for mail in await limited.mails())
    assert mails[an.email, "reset-password"] == 5
    assert mails["new@example.com", "verify-email"] == 5
