"""The second wall: even a query that forgets whose rows it asks for sees only those of the operator at hand.

Each rule has its control: with the wall off, the same query shows the harm.
"""

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import select, update
from tests.staff import make_operator

from farebox.accounts.staff_models import ApiKeyRow, MembershipRow
from farebox.core.ids import new_id
from farebox.doctor import Level, _server

WALLED = {"membership", "operator_policy", "invitation", "api_key", "device", "personal_audit", "fare_audit"}
OPEN = {
    "operator": "told to everybody who buys",
    "departure": "told to everybody who searches, and written by COPY",
    **dict.fromkeys(
        ("agency", "fare_default", "fare_rule", "fare_terms", "seat_surcharge"),
        "told to everybody who searches, and most of it written by COPY",
    ),
    **dict.fromkeys(("fare_cell", "price_rule", "sale_terms"), "told to everybody who searches"),
    "promotion": "looked for by whoever was given the code",
    **dict.fromkeys(("invoice", "invoice_series"), "written for sales across operators, and read by who bought"),
    **dict.fromkeys(("booking_item", "open_return"), "read by who bought it, across operators; see the decision"),
    "vehicle_kind": "told to everybody who looks at a seat map",
    "line": "told to everybody who searches, and written by COPY",
}
"""Tables with an operator that have no wall, and why."""


@pytest.fixture
async def lines(database, secrets):
    return await make_operator(database, secrets, "truong-son")


@pytest.fixture
async def other_lines(database, secrets):
    return await make_operator(database, secrets, "hai-van")


@pytest.fixture
async def staffed(lines, other_lines):
    for each in (lines, other_lines):
        await each.hire("agent")
        await each.key()
    return lines, other_lines


def switch(server_dsn, database, what):
    """As the owner of the server could, by hand; the database is thrown away after the test."""
    with psycopg.connect(server_dsn, dbname=database.url.database, autocommit=True) as connection:
        for table in sorted(WALLED):
            connection.execute(f"ALTER TABLE {table} {what}")


async def operators_seen(database, reach=()):
    """What somebody sees who forgets to say whose memberships they want."""
    async with database.begin(reach=reach) as work:
        return set((await work.session.scalars(select(MembershipRow.operator_id))).all())


async def test_who_says_nothing_sees_nothing(database, staffed):
    assert await operators_seen(database) == set()


async def test_who_acts_for_an_operator_sees_its_rows_and_no_others(database, staffed):
    lines, other_lines = staffed
    assert await operators_seen(database, [lines.id]) == {lines.id}
    assert await operators_seen(database, [lines.id, other_lines.id]) == {lines.id, other_lines.id}
    assert await operators_seen(database, "*") == {lines.id, other_lines.id}
    assert await operators_seen(database, [new_id()]) == set()


async def test_a_forgotten_condition_changes_no_other_operators_rows(database, staffed):
    lines, other_lines = staffed
    async with database.begin(reach=[lines.id]) as work:
        changed = await work.session.scalars(update(MembershipRow).values(role="driver").returning(MembershipRow.role))
        assert len(changed.all()) == 1
    async with database.begin(reach=[other_lines.id]) as work:
        assert await work.session.scalar(select(MembershipRow.role)) == "agent"


async def test_nothing_is_put_into_another_operator(database, staffed):
    lines, other_lines = staffed
    with pytest.raises(Exception, match="row-level security") as refused:
        async with database.begin(reach=[lines.id]) as work:
            await work.session.execute(update(ApiKeyRow).values(operator_id=other_lines.id))
    assert isinstance(refused.value.__cause__, InsufficientPrivilege)


async def test_control_without_the_wall_a_forgotten_condition_shows_and_changes_everything(
    database, staffed, server_dsn
):
    lines, other_lines = staffed
    switch(server_dsn, database, "NO FORCE ROW LEVEL SECURITY")
    assert await operators_seen(database) == {lines.id, other_lines.id}
    async with database.begin(reach=[lines.id]) as work:
        changed = await work.session.scalars(update(MembershipRow).values(role="driver").returning(MembershipRow.role))
        assert len(changed.all()) == 2


async def test_control_for_a_superuser_the_wall_is_void(database, staffed, server_dsn):
    with psycopg.connect(server_dsn, dbname=database.url.database) as connection:
        assert connection.execute("SELECT count(*) FROM membership").fetchone() == (2,)


async def test_a_reach_ends_with_its_transaction(open_database, staffed):
    """On the one connection that there is, behind a pooler or not."""
    lines, _ = staffed
    single = open_database(pool_size=1)
    assert await operators_seen(single, [lines.id]) == {lines.id}
    assert await operators_seen(single) == set()


async def test_a_reach_can_be_narrowed_in_the_middle(database, staffed):
    _, other_lines = staffed
    async with database.begin(reach="*") as work:
        seen = select(MembershipRow.operator_id)
        assert len((await work.session.scalars(seen)).all()) == 2
        await work.reach([other_lines.id])
        assert (await work.session.scalars(seen)).all() == [other_lines.id]


async def test_the_doors_through_the_wall_close_behind_who_went_through(database, staffed):
    lines, _ = staffed
    async with database.begin(reach=[lines.id]) as work:
        person_id = await work.session.scalar(select(MembershipRow.person_id))
    for question in (
        "SELECT staff_grants(%s)",
        "SELECT operator_of_secret(decode(md5(%s::text), 'hex'))",
        "SELECT use_programs(ARRAY[decode(md5(%s::text), 'hex')], now())",
    ):
        async with database.begin() as work:
            await (await work.execute(question, [person_id])).fetchall()
            assert await (await work.execute("SELECT count(*) FROM membership")).fetchone() == (0,)
        async with database.begin(reach=[lines.id]) as work:
            await (await work.execute(question, [person_id])).fetchall()
            assert await (await work.execute("SELECT count(*) FROM membership")).fetchone() == (1,)


async def test_what_was_done_for_an_operator_is_noted_by_anybody_and_read_and_forgotten_by_few(database, lines):
    note = (
        "INSERT INTO personal_audit (at, actor, operator_id, subject, action, fields, facts)"
        " VALUES (now() - interval '9 years', 'user:1', %s, 'person:2', 'seen', '{}', '{}')"
    )
    async with database.begin() as work:
        await work.execute(note, [lines.id])
        await work.execute(note, [None])
    count = "SELECT count(*) FROM personal_audit"
    for reach, seen in ((), 1), ([new_id()], 1), ([lines.id], 2), ("*", 2):
        async with database.begin(reach=reach) as work:
            assert await (await work.execute(count)).fetchone() == (seen,)
            assert (await work.execute("UPDATE personal_audit SET actor = 'nobody'")).rowcount == 0
            assert (await work.execute("DELETE FROM personal_audit")).rowcount == (2 if reach == "*" else 0)


async def test_every_table_with_an_operator_has_a_wall_or_a_reason(database):
    async with database.begin() as work:
        rows = await (
            await work.execute(
                "SELECT relname, relrowsecurity AND relforcerowsecurity FROM pg_class JOIN pg_attribute"
                " ON attrelid = pg_class.oid WHERE relkind = 'r' AND attname = 'operator_id' AND NOT attisdropped"
            )
        ).fetchall()
    assert {name for name, is_walled in rows if is_walled} == WALLED
    assert {name for name, is_walled in rows if not is_walled} <= OPEN.keys()


def test_the_doctor_says_when_a_role_goes_through_walls(server_dsn, server_url, database):
    def found(dsn):
        with psycopg.connect(dsn, dbname=database.url.database, autocommit=True) as connection:
            return {finding.subject: finding.level for finding in _server(connection)}

    assert found(server_dsn)["database role"] == Level.WARN
    assert found(server_url)["database role"] == Level.OK
    with psycopg.connect(server_dsn, autocommit=True) as admin:
        admin.execute("CREATE ROLE farebox_test_through BYPASSRLS")
        try:
            with psycopg.connect(server_dsn, dbname=database.url.database, autocommit=True) as connection:
                connection.execute("SET SESSION AUTHORIZATION farebox_test_through")
                findings = {finding.subject: finding for finding in _server(connection)}
        finally:
            admin.execute("DROP ROLE farebox_test_through")
    assert findings["database role"].level == Level.WARN
