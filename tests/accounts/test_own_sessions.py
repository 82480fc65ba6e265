"""Where somebody is signed in, and ending that."""

from datetime import timedelta

from tests.people import make_person, open_session_of

from farebox.core.ids import new_id

SESSIONS = "/users/sessions"


async def test_each_sign_in_is_told_and_which_one_asks(client_of, an, database):
    now = database.clock()
    phone = await open_session_of(an, kind="app", device="Chrome, Android", used_at=now - timedelta(hours=2))
    client = await client_of(an, device="Firefox, Linux", place="VN, 192.0.2.0/24")
    answer = await client.get(SESSIONS)
    assert answer.headers["cache-control"] == "private, no-store"
    one, two = answer.json()["items"]
    assert (one["device"], one["place"], one["kind"], one["current"]) == (
        "Firefox, Linux",
        "VN, 192.0.2.0/24",
        "browser",
        True,
    )
    assert (two["sessionId"], two["device"], two["kind"], two["current"]) == (
        str(phone.id),
        "Chrome, Android",
        "app",
        False,
    )
    assert set(one) == {
        "sessionId", "kind", "device", "place", "current", "createdAt", "lastUsedAt", "expiresAt"
    }  # fmt: skip


async def test_those_that_are_over_are_not_told(client, an, database):
    now = database.clock()
    await open_session_of(an, expires_at=now - timedelta(seconds=1))
    await open_session_of(an, ends_at=now - timedelta(seconds=1))
    assert len((await client.get(SESSIONS)).json()["items"]) == 1


async def test_one_can_be_ended_and_opens_nothing_from_then_on(client_of, client, an):
    other = await client_of(an)
    assert (await other.get(SESSIONS)).status_code == 200
    [theirs] = [item for item in (await client.get(SESSIONS)).json()["items"] if not item["current"]]
    assert (await client.delete(f"{SESSIONS}/{theirs['sessionId']}")).status_code == 204
    assert (await other.get(SESSIONS)).status_code == 401
    assert (await client.get(SESSIONS)).status_code == 200
    assert (await client.delete(f"{SESSIONS}/{theirs['sessionId']}")).json()["code"] == "session-not-found"


async def test_all_others_can_be_ended_at_once(client_of, client, an):
    others = [await client_of(an) for _ in range(3)]
    assert (await client.delete(SESSIONS)).json() == {"ended": 3}
    assert [(await other.get(SESSIONS)).status_code for other in others] == [401, 401, 401]
    assert (await client.delete(SESSIONS)).json() == {"ended": 0}


async def test_nobody_ends_a_session_of_somebody_else(client_of, client, database, secrets):
    stranger = await make_person(database, secrets, email="other@example.com")
    strangers = await client_of(stranger)
    [theirs] = (await strangers.get(SESSIONS)).json()["items"]
    assert (await client.delete(f"{SESSIONS}/{theirs['sessionId']}")).status_code == 404
    assert (await client.delete(f"{SESSIONS}/{new_id()}")).status_code == 404
    assert (await client.delete(SESSIONS)).json() == {"ended": 0}
    assert (await strangers.get(SESSIONS)).status_code == 200
