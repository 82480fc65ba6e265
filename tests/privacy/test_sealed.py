"""Every sealed column is in the one table, and all are sealed anew under a new key while others read and write."""

import asyncio

import pytest
from sqlalchemy import LargeBinary
from tests.bookings.shows import scalar
from tests.people import make_person

from farebox.accounts import find_person_by_email
from farebox.bookings import claim_bookings, get_booking, make_lookup_code, request_lookup, verify_lookup
from farebox.core.crypto import HEADER_BYTES, Secrets
from farebox.core.db import Base
from farebox.core.resealing import count_old, reseal
from farebox.migrations import load_models
from farebox.privacy import NOT_SEALED, SEALED

OLD, NEW, SIGNING = b"s" * 32, b"n" * 32, b"k" * 32
EMAIL = "an.nguyen@example.com"


@pytest.fixture
def rotated():
    """The same house after a new key was made."""
    return Secrets(OLD, SIGNING, newer_keys=lambda: [NEW])


@pytest.fixture
def later():
    """And when the old one is gone."""
    return Secrets(NEW, SIGNING)


def byte_columns():
    load_models()
    return {
        f"{table.name}.{column.name}"
        for table in Base.metadata.sorted_tables
        for column in table.columns
        if isinstance(column.type, LargeBinary)
    }


def test_every_column_of_bytes_is_sealed_or_said_not_to_be():
    sealed = {column.place for column in SEALED}
    indexes = {f"{column.table}.{column.index}" for column in SEALED if column.index}
    assert sealed | indexes | NOT_SEALED == byte_columns()
    assert not sealed & NOT_SEALED


def test_a_sealed_column_with_an_index_beside_it_names_it():
    for column in SEALED:
        has_index = f"{column.place}_index" in byte_columns()
        assert column.index == (f"{column.column}_index" if has_index else "")


async def test_everything_is_sealed_anew_and_found_again(database, box, secrets, settings, rotated, later):
    person = await make_person(database, secrets, email=EMAIL, phone="+84912345678", birth_date="1990-12-31")
    booking, _, _ = await box.booked(units=[0, 1])
    assert await count_old(database, rotated, SEALED) == {
        table: {"booking": 1, "booking_passenger": 2, "person": 1}.get(table, 0) for table in tables()
    }

    seen = []
    done = await reseal(database, rotated, SEALED, on_progress=lambda *step: seen.append(step), batch=1)

    assert {table: each.rows for table, each in done.items() if each.rows} == {
        "booking": 1,
        "booking_passenger": 2,
        "person": 1,
    }
    assert sorted(seen) == [("booking", 1), ("booking_passenger", 1), ("booking_passenger", 1), ("person", 1)]
    assert set((await count_old(database, rotated, SEALED)).values()) == {0}
    async with database.begin() as work:
        found = await find_person_by_email(work, "An.Nguyen@example.com", secrets=later)
        assert found is not None
        assert found.phone == "+84912345678"
        assert await claim_bookings(work, person.id, secrets=later) == [booking.id]
        read = await get_booking(work, booking.id, actor=person.actor)
    assert read.contact.email.open(later) == EMAIL
    assert [each.id_number.open(later) for each in read.passengers] == ["001099012345"] * 2


async def test_sealing_anew_again_finds_nothing_to_do(database, box, rotated):
    await box.booked()
    await reseal(database, rotated, SEALED)
    before = await scalar(database, "SELECT contact_email FROM booking")
    assert {each.rows for each in (await reseal(database, rotated, SEALED)).values()} == {0}
    assert await scalar(database, "SELECT contact_email FROM booking") == before


@pytest.mark.parametrize("is_resealed", [False, True])
async def test_people_and_bookings_are_found_while_it_runs(database, box, secrets, rotated, is_resealed):
    """Before and after their row's turn, with both keys known."""
    person = await make_person(database, secrets, email=EMAIL)
    booking, _, _ = await box.booked()
    if is_resealed:
        await reseal(database, rotated, SEALED)
    async with database.begin() as work:
        found = await find_person_by_email(work, EMAIL, secrets=rotated)
        assert found is not None
        assert found.id == person.id
        assert await claim_bookings(work, person.id, secrets=rotated) == [booking.id]


@pytest.mark.parametrize("is_resealed", [False, True])
async def test_a_code_asked_for_before_the_new_key_works_after_it(
    database, box, secrets, settings, rotated, is_resealed
):
    booking, _, _ = await box.booked()
    async with database.begin() as work:
        await request_lookup(work, booking.reference, EMAIL, settings=settings, secrets=secrets)
    if is_resealed:
        await reseal(database, rotated, SEALED)
    lookup_id = await scalar(database, "SELECT id FROM booking_lookup")
    async with database.begin() as work:
        made = await make_lookup_code(work, lookup_id, secrets=rotated)
        assert made is not None
    async with database.begin() as work:
        verified = await verify_lookup(work, booking.reference, EMAIL, made.code, settings=settings, secrets=rotated)
    assert verified is not None
    assert verified.booking.id == booking.id


async def test_what_others_write_meanwhile_is_kept(database, box, secrets, rotated):
    """Passengers are changed while their rows are sealed anew: whoever is first, the last word stands."""
    booking, guest, _ = await box.booked(units=[0, 1, 2])
    box.secrets = rotated

    async def change(number):
        async with database.begin() as work:
            await work.execute(
                "UPDATE booking_passenger SET phone = %s, phone_index = %s WHERE unit = %s",
                (rotated.encrypt(f"+8490000000{number}"), rotated.blind_index(f"+8490000000{number}"), number),
            )

    await asyncio.gather(reseal(database, rotated, SEALED, batch=1), *(change(number) for number in range(3)))

    async with database.begin() as work:
        read = await get_booking(work, booking.id, actor=guest)
    assert sorted(each.phone.open(rotated) for each in read.passengers) == [f"+8490000000{n}" for n in range(3)]


async def test_a_row_sealed_with_a_lost_key_is_told_and_left(database, box, rotated):
    await box.booked()
    lost = Secrets(b"l" * 32, SIGNING).encrypt("a@b.c", place="booking.contact_email")
    await scalar(database, "UPDATE booking SET contact_email = %s RETURNING 1", lost)
    done = await reseal(database, rotated, SEALED)
    assert (done["booking"].rows, done["booking"].unreadable) == (0, 1)
    assert done["booking_passenger"].rows == 1
    assert await scalar(database, "SELECT contact_email FROM booking") == lost


async def test_two_rows_that_would_have_one_digest_do_not_stop_it(database, secrets, rotated):
    """An account was made with an address that has one already, by a process that did not look under the old key."""
    old = await make_person(database, secrets, email=EMAIL)
    await make_person(database, rotated, email=EMAIL)
    other = await make_person(database, secrets, email="zoe@example.com")
    done = await reseal(database, rotated, SEALED)
    assert (done["person"].rows, done["person"].ambiguous) == (2, 1)
    index = "SELECT email_index FROM person WHERE id = %s"
    assert await scalar(database, index, old.id) == secrets.blind_index(EMAIL)
    assert await scalar(database, index, other.id) == rotated.blind_index("zoe@example.com")
    header = await scalar(database, "SELECT email FROM person WHERE id = %s", old.id)
    assert header[:HEADER_BYTES] == rotated.header


async def test_what_was_wiped_stays_not_to_be_found(database, box, secrets, rotated):
    await box.booked()
    await scalar(
        database,
        "UPDATE booking_passenger SET id_number = %s, id_number_index = '' RETURNING 1",
        secrets.encrypt("", place="booking_passenger.id_number"),
    )
    await reseal(database, rotated, SEALED)
    assert await scalar(database, "SELECT id_number_index FROM booking_passenger") == b""


def tables():
    return {column.table for column in SEALED}
