"""A request that says of itself that it was for another host: mails, redirects and addresses stay ours."""

import re

import pytest
from tests.attacks.conftest import PROVED
from tests.people import sign_in_as
from tests.staff import make_operator

EVIL = [
    {"Host": "evil.example"},
    {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https"},
    {"Forwarded": "host=evil.example;proto=https", "X-Host": "evil.example", "X-Original-Host": "evil.example"},
    {"Host": "127.0.0.1:8000@evil.example"},
    {
        "X-Original-URL": "https://evil.example/",
        "X-Rewrite-URL": "https://evil.example/",
        "X-Forwarded-Prefix": "//evil.example",
    },
]


@pytest.mark.parametrize("number", range(len(EVIL)))
async def test_no_mail_and_no_answer_names_the_host_of_the_request(house, box, visit, an, number):
    lines = await make_operator(house.services.database, house.services.secrets, "truong-son")
    boss = await lines.hire("operator_admin", email="chu@truong-son.example")
    headers = EVIL[number]
    client = house.client(**headers)
    answers = [
        await client.post("/register", json={"email": "new@example.com", "password": "green coach over the bridge"}),
        await client.post("/forgot-password", json={"email": an.email}),
        await client.post("/register", json={"email": an.email, "password": "green coach over the bridge"}),
        await client.get("/providers"),
    ]
    browser = visit(**headers)
    answers += [
        await browser.post("/forgot-password", email=an.email),
        await browser.post("/sign-in", email=an.email, password=an.password),
        await browser.get("/account"),
        await browser.get("/"),
    ]
    await sign_in_as(browser.client, an)
    answers.append(await browser.post("/account/email", email="next@example.com", current=an.password))
    await sign_in_as(browser.client, boss, proved=PROVED)
    answers.append(await browser.post(f"/console/{lines.id}/staff/invite", email="binh@example.com", role="agent"))
    assert [answer.status_code for answer in answers if answer.status_code >= 400] == []
    for answer in answers:
        assert "evil.example" not in answer.text, answer.request.url
        assert "evil.example" not in answer.headers.get("location", "")
    mails = await house.mails()
    kinds = {str(mail.kind) for mail in mails}
    assert {"verify-email", "reset-password", "already-registered", "change-email", "staff-invited"} <= kinds
    base = house.services.settings.base_url
    for mail in mails:
        assert "evil.example" not in mail.text + mail.html + mail.subject
        links = re.findall(r"https?://[^\s\"'<>)]+", mail.text) + re.findall(r'href="([^"]+)"', mail.html)
        assert [link for link in links if not link.startswith((f"{base}/", base, "mailto:"))] == [], mail.kind
