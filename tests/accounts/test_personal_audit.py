"""Who saw whose data is written once, and shown to whom it is about and to who looks after it."""

from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from tests.people import make_person

from farebox.accounts import (
    Actor,
    Permission,
    forget_accesses,
    list_accesses,
    note_access,
    person_subject,
    search_accesses,
)
from farebox.core.db import Database
from farebox.core.ids import new_id

READER = frozenset({Permission.AUDIT_READ})


@pytest.fixture
async def person(database, secrets):
    return await make_person(database, secrets)


@pytest.fixture
def staff():
    return Actor("user", new_id(), grants=((new_id(), READER),))


async def note(database, actor, subject, action="read", **more):
    async with database.begin() as work:
        await note_access(work, actor, subject, action, ["phone", "email"], **more)


async def test_an_access_says_who_whose_what_and_for_whom(database, person, staff):
    operator_id = staff.grants[0][0]
    await note(database, staff, person_subject(person.id), operator_id=operator_id, facts={"count": 1})
    async with database.begin(reach="*") as work:
        [access], count = await list_accesses(work, [person_subject(person.id)])
    assert count == 1
    assert access.actor == f"user:{staff.id}"
    assert access.operator_id == operator_id
    assert access.fields == ("email", "phone")
    assert (access.action, access.facts) == ("read", {"count": 1})


async def test_it_is_kept_only_with_what_was_done(database, person, staff):
    work = database.open()
    await note_access(work, staff, person_subject(person.id), "read")
    await work.abandon()
    async with database.begin(reach="*") as work:
        assert (await list_accesses(work, [person_subject(person.id)]))[1] == 0


async def test_what_one_did_oneself_can_be_left_out(database, person, staff):
    subject = person_subject(person.id)
    await note(database, person.actor, subject, "changed")
    await note(database, staff, subject)
    async with database.begin(reach="*") as work:
        shown, count = await list_accesses(work, [subject], but_by=person.actor.owner)
    assert [each.action for each in shown] == ["read"]
    assert count == 1


async def test_an_operators_auditor_sees_what_was_done_for_that_operator(database, person, staff):
    subject = person_subject(person.id)
    await note(database, staff, subject, operator_id=staff.grants[0][0])
    await note(database, staff, subject, "other", operator_id=new_id())
    await note(database, person.actor, subject, "own")
    async with database.begin(reach="*") as work:
        seen, count = await search_accesses(work, actor=staff)
        assert [each.action for each in seen] == ["read"]
        assert count == 1
        seen, count = await search_accesses(work, actor=Actor("user", new_id(), roles=frozenset({"admin"})))
        assert count == 3
        seen, _ = await search_accesses(work, actor=staff, subject=person_subject(new_id()))
        assert seen == []


async def test_the_database_lets_nobody_delete_what_was_written(database, person, staff):
    await note(database, staff, person_subject(person.id))
    with pytest.raises(psycopg.errors.IntegrityError, match="not forgotten within a year"):
        async with database.begin(reach="*") as work:
            await work.execute("DELETE FROM personal_audit")


async def test_the_database_lets_nobody_change_what_was_written(database, person, staff):
    await note(database, staff, person_subject(person.id))
    async with database.begin(reach="*") as work:  # row security shows no row to who would change it
        changed = await work.execute("UPDATE personal_audit SET actor = 'nobody'")
        assert changed.rowcount == 0
    async with database.begin(reach="*") as work:
        [access], _ = await list_accesses(work, [person_subject(person.id)])
    assert access.actor == f"user:{staff.id}"


async def test_after_years_it_is_forgotten(database_url, person, staff):
    then = datetime.now(UTC) - timedelta(days=366 * 3)
    past, now = Database(database_url, clock=lambda: then), Database(database_url)
    await note(past, staff, "person:old")
    await note(now, staff, "person:new")
    async with now.begin(reach="*") as work:
        assert await forget_accesses(work, years=3) == 1
        seen, _ = await search_accesses(work, actor=Actor("system"))
    assert [each.subject for each in seen] == ["person:new"]
    await past.dispose()
    await now.dispose()
