"""Staff who open somebody's booking leave a trace; travellers who open their own do not."""

import pytest
from tests.bookings.shows import scalar
from tests.people import make_person

from farebox.accounts import ROLES, SYSTEM, Actor, Permission, list_accesses
from farebox.bookings import BookingNotFound, get_booking, get_booking_by_reference, list_bookings
from farebox.core.ids import new_id


@pytest.fixture
async def booked(box):
    return await box.booked()


@pytest.fixture
def agent(booked):
    _, _, show = booked
    return Actor("user", new_id(), grants=((show.operator_id, ROLES["agent"]),))


async def seen(database, booking):
    async with database.begin(reach="*") as work:
        rows, _ = await list_accesses(work, [f"booking:{booking.id}"])
    return [(each.actor, each.action, each.operator_id) for each in rows]


async def test_who_opens_anothers_booking_is_written_down(database, booked, agent):
    booking, _, show = booked
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=agent)
        await get_booking(work, booking.id, actor=agent)  # twice in one request is once
    assert await seen(database, booking) == [(f"user:{agent.id}", "read", show.operator_id)]
    async with database.begin() as work:
        await get_booking_by_reference(work, booking.reference, actor=agent)
    assert len(await seen(database, booking)) == 2


async def test_a_list_is_written_down_for_each_booking_in_it(database, booked, agent):
    booking, _, show = booked
    async with database.begin() as work:
        await list_bookings(work, actor=agent)
    assert await seen(database, booking) == [(f"user:{agent.id}", "list", show.operator_id)]


async def test_an_admin_of_the_platform_is_written_down_too(database, booked):
    booking, _, _ = booked
    admin = Actor("user", new_id(), roles=frozenset({"admin"}))
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=admin)
    assert await seen(database, booking) == [(f"user:{admin.id}", "read", None)]


async def test_ones_own_booking_leaves_no_trace(database, box, secrets, booked):
    booking, guest, show = booked
    person = await make_person(database, secrets)
    own = await box.book(person.actor, await box.hold(person.actor, show, [1]))
    async with database.begin() as work:
        await get_booking(work, booking.id, actor=guest)
        await get_booking(work, booking.id, actor=SYSTEM)
        await get_booking(work, booking.id, actor=Actor("guest", new_id(), booking_id=booking.id))
        await get_booking(work, own.id, actor=person.actor)
        await list_bookings(work, actor=person.actor)
    assert await scalar(database, "SELECT count(*) FROM personal_audit") == 0


async def test_a_program_that_may_change_and_not_read_reaches_what_it_changes(database, booked):
    booking, _, show = booked
    may = frozenset({Permission.BOOKINGS_CHANGE, Permission.PASSENGERS_READ})
    program = Actor("user", new_id(), grants=((show.operator_id, may),))
    async with database.begin() as work:
        assert (await get_booking(work, booking.id, actor=program, lock=True)).id == booking.id
        with pytest.raises(BookingNotFound):
            await get_booking(work, booking.id, actor=program)
