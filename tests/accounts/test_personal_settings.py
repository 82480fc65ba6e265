"""What somebody has set: news by kind and way, what is allowed, how we speak."""

from typing import Any

from farebox.accounts import has_consent, say_consent

SETTINGS = "/users/settings"
USUAL = {
    "booking": {"email": True, "sms": False, "push": True},
    "reminders": {"email": True, "sms": False, "push": True},
    "offers": {"email": False, "sms": False, "push": False},
    "security": {"email": True, "sms": False, "push": False},
}


async def changed(client, status=200, **members):
    answer = await client.put(SETTINGS, json=members)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_as_long_as_nothing_is_set_it_is_as_usual(client):
    assert (await client.get(SETTINGS)).json() == {
        "notifications": USUAL,
        "privacy": {"personalisation": False, "analytics": False},
        "language": None,
        "currency": None,
        "timezone": None,
    }


async def test_each_can_be_set_by_itself(client):
    told = await changed(client, notifications={"reminders": {"sms": True, "email": False}})
    assert told["notifications"] == USUAL | {"reminders": {"email": False, "sms": True, "push": True}}
    told = await changed(client, notifications={"reminders": {"push": False}, "booking": {"sms": True}})
    assert told["notifications"] == USUAL | {
        "reminders": {"email": False, "sms": True, "push": False},
        "booking": {"email": True, "sms": True, "push": True},
    }
    told = await changed(client, privacy={"analytics": True}, language="vi", timezone="Asia/Bangkok")
    assert told["privacy"] == {"personalisation": False, "analytics": True}
    told = await changed(client, language=None, currency="THB")
    assert (told["language"], told["currency"], told["timezone"]) == (None, "THB", "Asia/Bangkok")
    assert (await client.get(SETTINGS)).json() == told


async def test_language_currency_and_zone_are_the_profiles_too(client):
    await changed(client, language="vi", currency="VND", timezone="Asia/Ho_Chi_Minh")
    told = (await client.get("/users/profile")).json()
    assert (told["language"], told["currency"], told["timezone"]) == ("vi", "VND", "Asia/Ho_Chi_Minh")


async def test_mails_about_security_cannot_be_switched_off(client):
    problem = await changed(client, 422, notifications={"security": {"email": False}, "booking": {"email": False}})
    assert [(error["field"], error["code"]) for error in problem["errors"]] == [
        ("notifications.security.email", "always-on")
    ]
    told = await changed(client, notifications={"security": {"email": True, "sms": True}})
    assert told["notifications"] == USUAL | {"security": {"email": True, "sms": True, "push": False}}


async def test_offers_want_a_consent_and_asking_for_them_is_one(client, database, an):
    async def consents():
        async with database.begin() as work:
            return [await has_consent(work, an.id, purpose) for purpose in ("marketing-email", "marketing-sms")]

    assert await consents() == [False, False]
    told = await changed(client, notifications={"offers": {"email": True, "push": True}})
    assert told["notifications"]["offers"] == {"email": True, "sms": False, "push": True}
    assert await consents() == [True, False]
    async with database.begin() as work:
        await say_consent(work, an.id, "marketing-email", is_given=False, source="unsubscribe-link")
    told = (await client.get(SETTINGS)).json()
    assert told["notifications"]["offers"] == {"email": False, "sms": False, "push": True}
    await changed(client, notifications={"booking": {"sms": True}})
    assert await consents() == [False, False]


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"notifications": {"gossip": {"email": True}}}, "notifications.gossip"),
    ({"notifications": {"offers": {"fax": True}}}, "notifications.offers.fax"),
    ({"notifications": {"offers": {"email": "yes"}}}, "notifications.offers.email"),
    ({"notifications": {"offers": True}}, "notifications.offers"),
    ({"privacy": {"tracking": False}}, "privacy.tracking"),
    ({"privacy": {"analytics": "perhaps"}}, "privacy.analytics"),
    ({"theme": "dark"}, "theme"),
]


async def test_wrong_types_and_unknown_members_are_bad_requests(client):
    before = (await client.get(SETTINGS)).json()
    for members, field in WRONG:
        problem = await changed(client, 400, **members)
        assert [error["field"] for error in problem["errors"]] == [field]
    assert (await client.get(SETTINGS)).json() == before


async def test_what_is_unknown_is_refused(client):
    problem = await changed(client, 422, language="tlh", currency="XXX", timezone="Moon/Base")
    assert {error["code"] for error in problem["errors"]} == {
        "unknown-language",
        "unknown-currency",
        "unknown-timezone",
    }
