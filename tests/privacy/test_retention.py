"""What is forgotten by the clock, and what is not."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.bookings.shows import scalar
from tests.people import make_person

from farebox.accounts import Actor, PersonNotFound, get_person, note_access
from farebox.bookings import get_booking
from farebox.core.db import Database
from farebox.notifications import MessageKind, Office, list_messages
from farebox.payments import InvoiceTo, change_invoice_to, find_invoice_to
from farebox.privacy import Retention


@pytest.fixture
def retention(services, database_url, direct_database_url, secrets):
    """Runs what every night does, as if so many days had passed."""
    opened = []

    async def run(*, days=0):
        then = datetime.now(UTC) + timedelta(days=days)
        later = Database(database_url, direct_url=direct_database_url, clock=lambda: then)
        opened.append(later)
        try:
            return await Retention(later, services.jobs, services.settings, secrets).run()
        finally:
            await later.dispose()

    return run


async def read(database, booking, person):
    async with database.begin() as work:
        return await get_booking(work, booking.id, actor=person.actor)


@pytest.mark.parametrize(("days_ago", "number"), [(89, "001099012345"), (91, "")])
async def test_documents_are_forgotten_ninety_days_after_the_ride(
    house, database, secrets, person, retention, days_ago, number
):
    booking = await house.travelled(person, days_ago=days_ago)
    done = await retention()
    assert done["documents"] == (1 if days_ago > 90 else 0)
    [passenger] = (await read(database, booking, person)).passengers
    assert passenger.id_number.open(secrets) == number
    assert passenger.phone.open(secrets) == ("+84912345678" if number else "")
    assert passenger.id_number.masked(secrets) == ("•••••••••345" if number else "")
    assert passenger.full_name == "Nguyễn Văn An"
    assert (await read(database, booking, person)).contact.email.open(secrets) == "an.nguyen@example.com"


async def test_documents_for_a_trip_ahead_are_kept(house, database, secrets, person, retention):
    booking, _ = await house.paid(person)
    assert (await retention())["documents"] == 0
    assert (await read(database, booking, person)).passengers[0].id_number.open(secrets) == "001099012345"


@pytest.mark.parametrize(
    ("at", "name"),
    [(datetime(2036, 12, 31, 23, tzinfo=UTC), "Nguyễn Văn An"), (datetime(2037, 1, 1, 1, tzinfo=UTC), "")],
)
async def test_who_it_was_is_forgotten_ten_years_after_the_year_of_the_ride(
    house, services, database, secrets, person, at, name
):
    booking = await house.travelled(person)
    await scalar(database, "UPDATE booking SET completes_at = '2026-03-01T12:00Z' RETURNING 1")
    later = Database(database.url, clock=lambda: at)
    await Retention(later, services.jobs, services.settings, secrets).run()
    await later.dispose()
    kept = await read(database, booking, person)
    assert [each.full_name for each in kept.passengers] == [name]
    assert kept.contact.email.open(secrets) == ("an.nguyen@example.com" if name else "")
    assert kept.total == booking.total


@pytest.mark.parametrize(("year", "is_kept"), [(2036, True), (2037, False)])
async def test_whom_invoices_are_to_name_is_forgotten_ten_years_after_the_year_it_was_said(
    house, services, database, secrets, person, year, is_kept
):
    booking, _ = await house.paid(person)
    async with database.begin() as work:
        work.now = datetime(2026, 5, 1, tzinfo=UTC)
        await change_invoice_to(work, booking.id, InvoiceTo("Sông Hương"), actor=person.actor, secrets=secrets)
    later = Database(database.url, clock=lambda: datetime(year, 12, 31, 23, tzinfo=UTC))
    done = await Retention(later, services.jobs, services.settings, secrets).run()
    await later.dispose()
    assert done["invoice details"] == (0 if is_kept else 1)
    async with database.begin() as work:
        assert (await find_invoice_to(work, booking.id, secrets=secrets) is not None) is is_kept


async def test_the_settings_say_how_long(house, services, database, secrets, person):
    from msgspec.structs import replace

    await house.travelled(person, days_ago=8)
    short = replace(services.settings, keep_passenger_days=7)
    done = await Retention(database, services.jobs, short, secrets).run()
    assert done["documents"] == 1


async def test_what_was_mailed_is_forgotten_and_that_it_was_stays(
    house, services, database, secrets, person, retention
):
    office = Office(jobs=services.jobs, settings=services.settings, secrets=secrets)
    async with database.begin() as work:
        for occasion in ("1", "2"):
            await office.tell_person(work, person.email, MessageKind.ACCOUNT_ERASED, occasion)
    assert (await retention(days=91))["messages"] == 0  # still waiting to be sent
    await scalar(database, "UPDATE message SET status = 'sent' RETURNING 1")
    assert (await retention(days=89))["messages"] == 0
    assert (await retention(days=91))["messages"] == 2
    async with database.begin() as work:
        mails = await list_messages(work, secrets=secrets)
    assert [(mail.recipient, mail.text, mail.html, mail.status) for mail in mails] == [("", "", "", "sent")] * 2


async def test_what_a_provider_sent_is_forgotten_and_what_it_meant_stays(house, database, person, retention):
    await house.paid(person)
    assert await scalar(database, "SELECT length(body) > 0 FROM payment_event") is True
    assert (await retention(days=91))["payment messages"] == 1
    assert await scalar(database, "SELECT body = '' AND event <> '{}' FROM payment_event") is True


async def test_an_account_that_nobody_confirmed_is_forgotten_after_a_month(database, secrets, retention):
    never = await make_person(database, secrets, email="x@example.com", is_verified=False)
    proved = await make_person(database, secrets, email="y@example.com")
    assert (await retention(days=29))["accounts"] == 0
    assert (await retention(days=31))["accounts"] == 1
    async with database.begin() as work:
        assert (await get_person(work, proved.id, secrets=secrets)).email == "y@example.com"
        with pytest.raises(PersonNotFound):
            await get_person(work, never.id, secrets=secrets)


async def test_who_looked_is_forgotten_with_the_bookings(database, retention, person):
    then = datetime.now(UTC) - timedelta(days=3660)
    past = Database(database.url, clock=lambda: then)
    async with past.begin() as work:
        await note_access(work, Actor("system"), "booking:1", "read")
    await past.dispose()
    async with database.begin() as work:
        await note_access(work, Actor("system"), "booking:2", "read")
    assert (await retention())["accesses"] == 1
    assert await scalar(database, "SELECT subject FROM personal_audit") == "booking:2"


async def test_a_second_night_finds_nothing(house, database, person, retention):
    await house.travelled(person, days_ago=4400)
    first, second = await retention(), await retention()
    assert first["documents"] == first["bookings"] == 1
    assert set(second.values()) == {0}


async def test_many_are_forgotten_batch_by_batch(house, database, person, retention, monkeypatch):
    monkeypatch.setattr("farebox.bookings.keeping.BATCH", 2)
    await house.travelled(person, days_ago=100, units=(0, 1, 2))
    assert (await retention())["documents"] == 3
