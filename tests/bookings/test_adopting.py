"""What a visitor did becomes a person's."""

import asyncio
from typing import Any

import pytest
from tests.bookings.shows import run_out, scalar
from tests.people import make_person

from farebox.accounts import PersonNotFound, authenticate, open_booking_session
from farebox.bookings import (
    BookingNotFound,
    Contact,
    adopt_guest,
    claim_bookings,
    get_booking,
    list_audit,
    list_bookings,
)
from farebox.core.errors import SignInRequired
from farebox.core.ids import new_id
from farebox.inventory import HoldNotFound, get_hold

EMAIL = "an.nguyen@example.com"


@pytest.fixture
async def person(database, secrets):
    return await make_person(database, secrets, email=EMAIL)


async def adopt(database, guest, person):
    async with database.begin() as work:
        return await adopt_guest(work, guest.id, person.id)


async def claim(database, person, secrets):
    async with database.begin() as work:
        return await claim_bookings(work, person.id, secrets=secrets)


async def owner_of(database, table, row_id):
    return await scalar(database, f"SELECT owner FROM {table} WHERE id = %s", row_id)


async def test_signing_in_brings_the_visitors_seats_and_bookings_along(database, box, person):
    guest, show = await box.guest(), await box.show()
    booking = await box.book(guest, await box.hold(guest, show, [0]))
    hold = await box.hold(guest, show, [1])

    adopted = await adopt(database, guest, person)

    assert (adopted.holds, adopted.bookings) == (1, 1)
    async with database.begin() as work:
        theirs, _ = await list_bookings(work, actor=person.actor)
        assert [each.id for each in theirs] == [booking.id]
        assert (await get_hold(work, hold.id, owner=person.actor.owner)).expires_at == hold.expires_at
    assert await owner_of(database, "hold", theirs[0].items[0].hold_id) == f"booking:{booking.id}"


async def test_the_audit_says_who_took_the_booking_over(database, box, person):
    booking, guest, _ = await box.booked()
    await adopt(database, guest, person)
    async with database.begin() as work:
        audit = await list_audit(work, booking.id, actor=person.actor)
    last = audit[-1]
    assert (last.actor, last.reason) == (f"user:{person.id}", "adopted")
    assert last.from_status == last.to_status == "pending"


async def test_a_visitors_session_ends_when_it_is_adopted(database, box, person):
    guest, token = await box.guest_with_token()
    booking = await box.book(guest, await box.hold(guest, await box.show()))
    await adopt(database, guest, person)
    async with database.begin() as work:
        with pytest.raises(SignInRequired):
            await authenticate(work, token)
        with pytest.raises(BookingNotFound):
            await get_booking(work, booking.id, actor=guest)


async def test_others_seats_and_bookings_stay_theirs(database, box, person):
    guest, other, show = await box.guest(), await box.guest(), await box.show()
    hold = await box.hold(other, show)
    booking = await box.book(other, await box.hold(other, show, [1]))
    assert (await adopt(database, guest, person)).bookings == 0
    assert await owner_of(database, "hold", hold.id) == other.owner
    assert await owner_of(database, "booking", booking.id) == other.owner


async def test_of_two_people_who_adopt_one_visitor_one_gets_everything(database, box, secrets, person):
    other = await make_person(database, secrets, email="binh@example.com")
    guest, show = await box.guest(), await box.show()
    await box.book(guest, await box.hold(guest, show))
    await box.hold(guest, show, [1])

    results = await asyncio.gather(adopt(database, guest, person), adopt(database, guest, other))

    assert sorted((each.holds, each.bookings) for each in results) == [(0, 0), (1, 1)]


async def test_seats_whose_time_is_over_are_not_adopted(database, box, person):
    guest, show = await box.guest(), await box.show()
    hold = await box.hold(guest, show)
    await scalar(database, "UPDATE hold SET expires_at = now() - interval '1 second' RETURNING 1")
    assert (await adopt(database, guest, person)).holds == 0
    assert await owner_of(database, "hold", hold.id) == guest.owner


async def test_a_session_that_has_run_out_gives_nothing(database, box, person):
    booking, guest, _ = await box.booked()
    await scalar(database, "UPDATE guest_session SET expires_at = now() - interval '1 second' RETURNING 1")
    assert (await adopt(database, guest, person)).bookings == 0
    assert await owner_of(database, "booking", booking.id) == guest.owner


async def test_a_session_for_one_booking_is_no_visitor_to_adopt(database, box, person):
    booking, guest, _ = await box.booked()
    async with database.begin() as work:
        token = await open_booking_session(work, booking.id, ttl_seconds=3600)
    async with database.begin() as work:
        actor = await authenticate(work, token)
    assert (await adopt(database, actor, person)).bookings == 0
    async with database.begin() as work:
        assert await authenticate(work, token) == actor
    assert await owner_of(database, "booking", booking.id) == guest.owner


async def test_booking_and_signing_in_at_once_leaves_nothing_behind(database, box, person):
    """Whoever is first: the booking is made and adopted, or refused since its seats are the person's."""
    for _ in range(5):
        guest, show = await box.guest(), await box.show()
        hold = await box.hold(guest, show)
        both: tuple[Any, ...] = await asyncio.gather(
            box.book(guest, hold), adopt(database, guest, person), return_exceptions=True
        )
        made = both[0]
        if isinstance(made, BaseException):
            assert isinstance(made, HoldNotFound)
            assert await owner_of(database, "hold", hold.id) == person.actor.owner
        else:
            assert await owner_of(database, "booking", made.id) == person.actor.owner


async def test_nobody_adopts_for_a_person_who_was_erased(database, box, person):
    booking, guest, _ = await box.booked()
    await scalar(
        database,
        "UPDATE person SET erased_at = now(), email = NULL, email_index = NULL WHERE id = %s RETURNING 1",
        person.id,
    )
    with pytest.raises(PersonNotFound):
        await adopt(database, guest, person)
    with pytest.raises(PersonNotFound):
        async with database.begin() as work:
            await adopt_guest(work, guest.id, new_id())
    assert await owner_of(database, "booking", booking.id) == guest.owner


async def test_a_proved_address_brings_the_bookings_that_were_made_with_it(database, box, secrets, person):
    first, guest, show = await box.booked(units=[0])
    second = await box.book(
        guest, await box.hold(guest, show, [1]), contact=Contact("AN.Nguyen@Example.com", "+84912345678")
    )
    other = await box.book(guest, await box.hold(guest, show, [2]), contact=Contact("binh@example.com", "+84912345678"))

    assert sorted(await claim(database, person, secrets)) == sorted([first.id, second.id])

    assert await owner_of(database, "booking", other.id) == guest.owner
    assert await owner_of(database, "booking", second.id) == person.actor.owner
    assert await claim(database, person, secrets) == []
    async with database.begin() as work:
        with pytest.raises(BookingNotFound):
            await get_booking(work, first.id, actor=guest)


async def test_an_address_that_is_not_proved_brings_nothing(database, box, secrets):
    booking, guest, _ = await box.booked()
    unproved = await make_person(database, secrets, email=EMAIL, is_verified=False)
    assert await claim(database, unproved, secrets) == []
    assert await owner_of(database, "booking", booking.id) == guest.owner


async def test_a_booking_of_another_account_is_not_claimed(database, box, secrets, person):
    """Somebody with an account may book for a friend and give the friend's address."""
    other = await make_person(database, secrets, email="binh@example.com")
    booking = await box.book(other.actor, await box.hold(other.actor, await box.show()))
    assert await claim(database, person, secrets) == []
    assert await owner_of(database, "booking", booking.id) == other.actor.owner


async def test_a_booking_is_claimed_once_however_often_that_is_asked_at_once(database, box, secrets, person):
    await box.booked()
    results = await asyncio.gather(*(claim(database, person, secrets) for _ in range(4)))
    assert sorted(map(len, results)) == [0, 0, 0, 1]
    rows = await scalar(database, "SELECT count(*) FROM booking_audit WHERE reason = 'claimed'")
    assert rows == 1


async def test_claiming_and_adopting_at_once_give_a_booking_to_one_person(database, box, secrets, person):
    other = await make_person(database, secrets, email="binh@example.com")
    booking, guest, _ = await box.booked()
    claimed, adopted = await asyncio.gather(claim(database, person, secrets), adopt(database, guest, other))
    assert len(claimed) + adopted.bookings == 1
    expected = person if claimed else other
    assert await owner_of(database, "booking", booking.id) == expected.actor.owner


async def test_a_booking_that_ran_out_is_claimed_as_what_it_is(database, box, secrets, person):
    booking, _, _ = await box.booked()
    await run_out(database, booking)
    assert await claim(database, person, secrets) == [booking.id]
    async with database.begin() as work:
        assert (await get_booking(work, booking.id, actor=person.actor)).reason == "expired"
