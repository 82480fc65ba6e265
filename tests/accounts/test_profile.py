"""What somebody reads and changes of themselves: typed, checked, sealed, and nobody else's."""

from datetime import timedelta

from tests.people import make_person

PROFILE = "/users/profile"


async def changed(client, status=200, **members):
    answer = await client.put(PROFILE, json=members)
    assert answer.status_code == status, answer.text
    return answer.json()


def codes(problem):
    return {(error["field"], error["code"]) for error in problem["errors"]}


async def row_of(database, person):
    async with database.begin() as work:
        cursor = await work.execute("SELECT to_jsonb(person) FROM person WHERE id = %s", [person.id])
        found = await cursor.fetchone()
    assert found is not None
    return found[0]


async def test_a_profile_says_who_one_is(client, an):
    answer = await client.get(PROFILE)
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "private, no-store"
    told = answer.json()
    assert told.pop("createdAt")
    assert told == {
        "userId": str(an.id),
        "email": "an.nguyen@example.com",
        "verifiedEmail": True,
        "firstName": "An",
        "lastName": "Nguyễn",
        "phoneNumber": None,
        "dateOfBirth": None,
        "profilePicture": None,
        "profilePictureSmall": None,
        "language": None,
        "currency": None,
        "timezone": None,
        "roles": ["user"],
    }


async def test_all_of_it_can_be_changed_at_once(client, database, an):
    told = await changed(
        client,
        firstName="  Văn   An ",
        lastName="Trần",
        phoneNumber="0912 345 678",
        dateOfBirth="1990-12-31",
        language="vi",
        currency="VND",
        timezone="Asia/Ho_Chi_Minh",
    )
    assert told["firstName"] == "Văn An"
    assert told["lastName"] == "Trần"
    assert told["phoneNumber"] == "+84912345678"
    assert told["dateOfBirth"] == "1990-12-31"
    assert (told["language"], told["currency"], told["timezone"]) == ("vi", "VND", "Asia/Ho_Chi_Minh")
    assert (await client.get(PROFILE)).json() == told
    row = await row_of(database, an)
    assert "912345678" not in str(row)
    assert "1990" not in str(row)
    assert row["phone_index"]


async def test_what_is_not_given_stays_and_null_takes_away(client):
    await changed(client, phoneNumber="+49 30 901820", dateOfBirth="1990-12-31", language="vi")
    told = await changed(client, lastName="Trần")
    assert (told["phoneNumber"], told["dateOfBirth"], told["language"]) == ("+4930901820", "1990-12-31", "vi")
    told = await changed(client, phoneNumber=None, dateOfBirth=None, language=None, lastName="")
    assert (told["phoneNumber"], told["dateOfBirth"], told["language"]) == (None, None, None)
    assert (told["firstName"], told["lastName"]) == ("An", "")


BROKEN_RULES = [
    ("firstName", " ", "required"),
    ("firstName", "x" * 101, "too-long"),
    ("firstName", "<b>An</b>", "invalid-name"),
    ("lastName", "12345", "invalid-name"),
    ("phoneNumber", "12", "invalid-phone"),
    ("phoneNumber", "call me", "invalid-phone"),
    ("dateOfBirth", "1890-01-01", "too-long-ago"),
    ("language", "tlh", "unknown-language"),
    ("currency", "DEM", "unknown-currency"),
    ("currency", "vnd", "unknown-currency"),
    ("timezone", "Asia/Atlantis", "unknown-timezone"),
    ("timezone", "../../etc/passwd", "unknown-timezone"),
]


async def test_what_breaks_a_rule_is_refused_by_name_and_changes_nothing(client):
    before = (await client.get(PROFILE)).json()
    for member, value, code in BROKEN_RULES:
        problem = await changed(client, 422, **({"lastName": "Other"} | {member: value}))
        assert codes(problem) == {(member, code)}
    assert (await client.get(PROFILE)).json() == before


async def test_nobody_is_born_tomorrow(client, database):
    today = database.clock().date()
    problem = await changed(client, 422, dateOfBirth=(today + timedelta(days=1)).isoformat())
    assert codes(problem) == {("dateOfBirth", "in-future")}
    assert (await changed(client, dateOfBirth=today.isoformat()))["dateOfBirth"] == today.isoformat()


WRONG_TYPES = [
    ("firstName", 7),
    ("phoneNumber", 84912345678),
    ("dateOfBirth", "31.12.1990"),
    ("dateOfBirth", "1990-02-30"),
    ("language", ["vi"]),
    ("timezone", "x" * 65),
]


async def test_a_wrong_type_is_a_bad_request(client):
    for member, value in WRONG_TYPES:
        problem = await changed(client, 400, **{member: value})
        assert [error["field"] for error in problem["errors"]] == [member]


NOT_ONES_OWN = [
    ("roles", ["admin"]),
    ("role", "admin"),
    ("verifiedEmail", True),
    ("verified", True),
    ("email", "other@example.com"),
    ("userId", "0197a7f0-1f6a-7000-8000-00000000c0de"),
    ("passwordHash", "x"),
    ("profilePicture", "https://example.com/x.png"),
    ("avatar", "0" * 32),
    ("settings", {}),
]


async def test_nobody_makes_themselves_what_they_are_not(client, database, an):
    before = await row_of(database, an)
    for path in (PROFILE, "/users/preferences", "/users/settings"):
        for member, value in NOT_ONES_OWN:
            answer = await client.put(path, json={member: value})
            assert answer.status_code == 400
            assert [error["field"] for error in answer.json()["errors"]] == [member]
    assert await row_of(database, an) == before


async def test_one_changes_oneself_only(client_of, database, secrets):
    one = await make_person(database, secrets, email="one@example.com", first_name="One")
    two = await make_person(database, secrets, email="two@example.com", first_name="Two")
    await changed(await client_of(one), firstName="Uno")
    assert (await (await client_of(two)).get(PROFILE)).json()["firstName"] == "Two"


async def test_without_a_sign_in_there_is_nothing(client_of):
    nobody = await client_of()
    guest = (await nobody.post("/guest-sessions")).json()["guestToken"]
    for path in ("/users/profile", "/users/preferences", "/users/settings", "/users/sessions"):
        assert (await nobody.get(path)).status_code == 401
        assert (await nobody.get(path, headers={"Authorization": f"Bearer {guest}"})).status_code == 403


async def test_a_change_is_told_to_the_world_by_its_id_only(client, database, an):
    await changed(client, firstName="Other", phoneNumber="+84912345678")
    async with database.begin() as work:
        cursor = await work.execute("SELECT type, data FROM outbox_event")
        assert await cursor.fetchall() == [("user.profile_updated", {"userId": str(an.id)})]
