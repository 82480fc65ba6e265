"""Sessions of visitors: unguessable, told once, sliding, and reaching what they are for."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from tests.counting import counted_statements

from farebox.accounts import (
    ANONYMOUS,
    SYSTEM,
    Actor,
    Sessions,
    authenticate,
    delete_expired_sessions,
    open_booking_session,
    open_guest_session,
)
from farebox.core.db import Database
from farebox.core.errors import NotAllowed, SignInRequired
from farebox.core.ids import new_id

HOUR = 3600
HOURS = timedelta(hours=1)
START = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


class Clock:
    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def house(database_url, clock):
    database = Database(database_url, clock=clock)
    yield database
    await database.dispose()


@pytest.fixture
def statements():
    """Everything that is sent to the database, but for what the desk sends for all."""
    with counted_statements() as sent:
        yield sent


async def open_one(house):
    async with house.begin() as work:
        return await open_guest_session(work, ttl_seconds=HOUR)


async def who_is(house, token) -> Actor:
    sessions = Sessions(house)
    try:
        return await sessions.authenticate(token)
    finally:
        await sessions.dispose()


async def expiry(house) -> datetime:
    async with house.begin() as work:
        row = await (await work.execute("SELECT expires_at FROM guest_session")).fetchone()
    assert row is not None
    ends: datetime = row[0]
    return ends


async def test_a_guest_is_known_by_the_token(house):
    session, token = await open_one(house)
    assert token.startswith("fbg_")
    assert len(token) > 40
    assert session.expires_at == START + timedelta(hours=1)
    actor = await who_is(house, token)
    assert actor == Actor("guest", session.id)
    assert actor.owner == f"guest:{session.id}"


async def test_two_guests_are_two(house):
    (one, one_token), (two, two_token) = await open_one(house), await open_one(house)
    assert one.id != two.id
    assert one_token != two_token


async def test_only_a_digest_is_stored(house):
    _, token = await open_one(house)
    async with house.begin() as work:
        row = await (await work.execute("SELECT guest_session::text FROM guest_session")).fetchone()
    assert row is not None
    assert token not in row[0]
    assert token.removeprefix("fbg_") not in row[0]


@pytest.mark.parametrize(
    "token", ["", "fbg_", "fbg_x", "fbb_x", "nonsense", "fbg_" + "a" * 10_000, "fbg_\x00", "fbg_é"]
)
async def test_what_was_never_given_out_opens_nothing(house, token):
    await open_one(house)
    with pytest.raises(SignInRequired):
        await who_is(house, token)


async def test_a_session_slides_with_use_and_ends_without(house, clock):
    _, token = await open_one(house)
    for _ in range(5):
        clock.now += timedelta(minutes=59)
        await who_is(house, token)
        assert await expiry(house) == clock.now + timedelta(hours=1)
    clock.now += timedelta(hours=1)
    with pytest.raises(SignInRequired):
        await who_is(house, token)


async def test_use_within_a_minute_writes_nothing(house, clock):
    _, token = await open_one(house)
    clock.now += timedelta(seconds=60)
    await who_is(house, token)
    assert await expiry(house) == START + timedelta(hours=1)
    clock.now += timedelta(seconds=1)
    await who_is(house, token)
    assert await expiry(house) == clock.now + timedelta(hours=1)


async def test_requests_of_one_visitor_do_not_wait_for_each_other(house, clock):
    session, token = await open_one(house)
    clock.now += timedelta(minutes=30)
    async with house.begin() as slow:
        await authenticate(slow, token)
        async with asyncio.timeout(20):
            assert await who_is(house, token) == Actor("guest", session.id)


async def test_many_are_known_at_once_each_by_its_own_token(house, clock, statements):
    visitors = dict([reversed(await open_one(house)) for _ in range(20)])
    async with house.begin() as work:
        gone = await open_booking_session(work, new_id(), ttl_seconds=1)
    clock.now += timedelta(minutes=30)
    sessions = Sessions(house)
    statements.clear()
    tokens = [*visitors, "fbg_unknown", gone, *visitors]
    found = await asyncio.gather(*map(sessions.authenticate, tokens), return_exceptions=True)
    for token, actor in zip(tokens, found, strict=True):
        if token in visitors:
            assert actor == Actor("guest", visitors[token].id)
        else:
            assert isinstance(actor, SignInRequired)
    assert len(statements) == 2  # who they are, and all of them slide
    async with house.begin() as work:
        cursor = await work.execute("SELECT count(*) FROM guest_session WHERE expires_at = %s", [clock.now + HOURS])
        assert await cursor.fetchone() == (20,)
    await sessions.dispose()


async def test_a_session_that_ends_opens_nothing_from_then_on(house):
    session, token = await open_one(house)
    sessions = Sessions(house)
    assert await sessions.authenticate(token) == Actor("guest", session.id)
    async with house.begin() as work:
        await work.execute("DELETE FROM guest_session")
    with pytest.raises(SignInRequired):
        await sessions.authenticate(token)
    await sessions.dispose()


async def test_inside_a_unit_of_work_its_own_new_session_is_known(house):
    async with house.begin() as work:
        session, token = await open_guest_session(work, ttl_seconds=HOUR)
        assert await authenticate(work, token) == Actor("guest", session.id)


async def test_a_session_for_one_booking_reaches_that_and_holds_no_seats(house):
    booking_id = new_id()
    async with house.begin() as work:
        token = await open_booking_session(work, booking_id, ttl_seconds=HOUR)
    assert token.startswith("fbb_")
    actor = await who_is(house, token)
    assert (actor.kind, actor.booking_id) == ("guest", booking_id)
    with pytest.raises(NotAllowed):
        _ = actor.owner


async def test_the_anonymous_own_nothing_and_the_system_is_the_system():
    with pytest.raises(SignInRequired):
        _ = ANONYMOUS.owner
    assert SYSTEM.owner == "system"


async def test_sessions_that_are_over_are_forgotten(house, clock):
    await open_one(house)
    clock.now += timedelta(minutes=30)
    _, young = await open_one(house)
    clock.now += timedelta(minutes=30)
    async with house.begin() as work:
        assert await delete_expired_sessions(work) == 1
        assert await delete_expired_sessions(work) == 0
    await who_is(house, young)
