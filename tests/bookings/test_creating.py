"""From a hold to a pending booking."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.bookings.shows import CONTACT, person, scalar
from tests.counting import counted_statements

from farebox.accounts import ANONYMOUS, SYSTEM, Actor
from farebox.bookings import (
    BookingNotFound,
    BookingStatus,
    Contact,
    MixedCurrencies,
    PriceChanged,
    get_booking,
    get_booking_by_reference,
    list_audit,
    list_bookings,
)
from farebox.core.errors import Invalid, SignInRequired
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.inventory import HoldExpired, HoldNotFound, get_hold, sweep


async def test_a_booking_is_pending_and_priced_line_by_line(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show, [0, 2])
    people = [person("A1"), person("A3", passenger_type="child")]
    booking = await box.book(actor, hold, passengers=people)
    assert booking.status is BookingStatus.PENDING
    assert booking.reason is None
    assert [(line.kind, line.label, line.seat_number, line.amount.minor) for line in booking.lines] == [
        ("fare", "fare-adult", "A1", 1250),
        ("fare", "fare-child", "A3", 625),
        ("fee", "service-fee", None, 100),
    ]
    assert booking.total == Money(1975, "EUR")
    assert booking.tax == Money(114 + 57, "EUR")
    assert [(p.seat_number, p.passenger_type, p.full_name) for p in booking.passengers] == [
        ("A1", "adult", "Nguyễn Văn An"),
        ("A3", "child", "Nguyễn Văn An"),
    ]
    assert booking.items[0].resource_id == show.id
    assert booking.items[0].description.title == "The Cherry Orchard"
    assert booking.items[0].policy.cancel_until == show.begins - timedelta(days=1)
    assert booking.owner == actor.owner


async def test_what_was_returned_is_what_is_read_again(box, database):
    booking, actor, _ = await box.booked([0, 1])
    async with database.begin() as work:
        assert await get_booking(work, booking.id, actor=actor) == booking
        assert await list_bookings(work, actor=actor) == ([booking], 1)


async def test_the_booking_adopts_the_hold_and_keeps_it_for_its_own_time(box, database):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show, ttl_seconds=60)
    booking = await box.book(actor, hold)
    async with database.begin() as work:
        adopted = await get_hold(work, hold.id)
        with pytest.raises(HoldNotFound):
            await get_hold(work, hold.id, owner=actor.owner)
    assert adopted.owner == f"booking:{booking.id}"
    assert adopted.expires_at == booking.expires_at
    assert booking.expires_at is not None
    left = (booking.expires_at - datetime.now(UTC)).total_seconds()
    assert 890 < left <= 900


async def test_one_hold_makes_one_booking(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    await box.book(actor, hold)
    with pytest.raises(HoldNotFound):
        await box.book(actor, hold)


async def test_a_hold_of_somebody_else_is_not_found(box):
    actor, other, show = await box.guest(), await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    with pytest.raises(HoldNotFound):
        await box.book(other, hold)


async def test_nobody_books_without_a_credential(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    with pytest.raises(SignInRequired):
        await box.book(ANONYMOUS, hold)


async def test_a_hold_that_ran_out_makes_no_booking(box, database):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    async with database.begin() as work:
        await work.execute("UPDATE hold SET expires_at = now() - interval '1 second'")
        await work.execute("UPDATE claim SET expires_at = now() - interval '1 second'")
    with pytest.raises(HoldExpired):
        await box.book(actor, hold)
    async with database.begin() as work:
        await sweep(work)
    with pytest.raises(HoldExpired):
        await box.book(actor, hold)


async def test_a_hold_on_nothing_that_is_sold_makes_no_booking(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    people = box.people(hold)
    box.theatre.shows.clear()
    with pytest.raises(HoldNotFound):
        await box.book(actor, hold, passengers=people)


async def test_two_shows_make_one_booking_with_two_items(box, database):
    actor, first, second = await box.guest(), await box.show(), await box.show(price=2000, fee=0)
    holds = await box.hold(actor, second, [0]), await box.hold(actor, first, [0, 1])
    booking = await box.book(actor, *holds)
    assert [item.resource_id for item in booking.items] == [second.id, first.id]
    assert [item.seat_numbers for item in booking.items] == [("A1",), ("A1", "A2")]
    assert booking.total == Money(2000 + 2 * 1250 + 100, "EUR")
    async with database.begin() as work:
        assert await get_booking(work, booking.id, actor=actor) == booking


async def test_a_person_may_name_the_hold_of_the_seat(box):
    actor, first, second = await box.guest(), await box.show(), await box.show()
    one, two = await box.hold(actor, first, [0]), await box.hold(actor, second, [0])
    people = [
        person("A1", full_name="In the second", hold_id=two.id),
        person("A1", full_name="In the first", hold_id=one.id),
    ]
    booking = await box.book(actor, one, two, passengers=people)
    assert [p.full_name for p in booking.passengers] == ["In the first", "In the second"]


async def test_items_in_two_currencies_cannot_be_paid_together(box):
    actor, first, second = await box.guest(), await box.show(), await box.show(currency="VND", price=90_000)
    holds = await box.hold(actor, first), await box.hold(actor, second)
    with pytest.raises(MixedCurrencies):
        await box.book(actor, *holds)


async def test_the_same_hold_twice_or_none_is_refused(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    for holds in ([hold, hold], []):
        with pytest.raises(Invalid) as refusal:
            await box.book(actor, *holds)
        assert [(e.field, e.code) for e in refusal.value.errors] == [("lockIds", "invalid-locks")]


async def test_another_total_than_the_client_saw_books_nothing(box, database):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    for wrong in (Money(1349, "EUR"), Money(1351, "EUR"), Money(1350, "USD"), Money(0, "EUR")):
        with pytest.raises(PriceChanged) as refusal:
            await box.book(actor, hold, expected_total=wrong)
        assert refusal.value.fields == {"total": Money(1350, "EUR")}
    assert await scalar(database, "SELECT count(*) FROM booking") == 0
    booking = await box.book(actor, hold, expected_total=Money(1350, "EUR"))
    assert booking.total == Money(1350, "EUR")


@pytest.mark.parametrize(
    ("people", "errors"),
    [
        ([], [("passengers", "passenger-missing"), ("passengers", "passenger-missing")]),
        ([person("A1")], [("passengers", "passenger-missing")]),
        (
            [person("A1"), person("A1")],
            [("passengers.1.seatNumber", "duplicate-seat"), ("passengers", "passenger-missing")],
        ),
        ([person("A1"), person("A2"), person("A3")], [("passengers.2.seatNumber", "unknown-seat")]),
        ([person("a1 "), person("A2", special_needs=True)], [("passengers.1.specialNeeds", "seat-not-accessible")]),
        (
            [person("A1", passenger_type="child"), person("A2", passenger_type="child")],
            [("passengers.0.passengerType", "child-alone")],
        ),
        (
            [person("A1", full_name=" "), person("A2", id_number="12345", phone="12", email="nobody")],
            [
                ("passengers.0.fullName", "required"),
                ("passengers.1.idNumber", "invalid-id-number"),
                ("passengers.1.phone", "invalid-phone"),
                ("passengers.1.email", "invalid-email"),
            ],
        ),
    ],
)
async def test_each_seat_has_one_passenger_with_all_that_is_needed(box, database, people, errors):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show, [0, 1])
    with pytest.raises(Invalid) as refusal:
        await box.book(actor, hold, passengers=people)
    assert [(e.field, e.code) for e in refusal.value.errors] == errors
    assert all(e.text() for e in refusal.value.errors)
    assert await scalar(database, "SELECT count(*) FROM booking") == 0


async def test_special_needs_fit_an_accessible_seat(box):
    actor, show = await box.guest(), await box.show()
    booking = await box.book(actor, await box.hold(actor, show, [0]), passengers=[person("A1", special_needs=True)])
    assert booking.passengers[0].special_needs


async def test_a_contact_is_needed(box):
    actor, show = await box.guest(), await box.show()
    hold = await box.hold(actor, show)
    with pytest.raises(Invalid) as refusal:
        await box.book(actor, hold, contact=Contact(email="", phone="nonsense"))
    assert [(e.field, e.code) for e in refusal.value.errors] == [
        ("contact.email", "required"),
        ("contact.phone", "invalid-phone"),
    ]


async def test_a_promotion_code_that_nobody_gave_out_is_refused(box):
    actor, show = await box.guest(), await box.show()
    with pytest.raises(Invalid) as refusal:
        await box.book(actor, await box.hold(actor, show), promo_code="FREE")
    assert [(e.field, e.code) for e in refusal.value.errors] == [("promoCode", "unknown-promo-code")]


async def test_personal_numbers_are_sealed_in_the_tables(box, database, secrets):
    actor, show = await box.guest(), await box.show()
    people = [person("A1", email="An.Nguyen+show@Example.com")]
    booking = await box.book(actor, await box.hold(actor, show), passengers=people)
    async with database.begin() as work:
        dump = ""
        for table in ("booking", "booking_item", "booking_passenger", "booking_audit", "booking_price_line"):
            rows = await (await work.execute(f"SELECT t::text FROM {table} AS t")).fetchall()
            dump += "\n".join(row[0] for row in rows)
        hexed = dump.lower()
    for secret in ("001099012345", "84912345678", "an.nguyen", CONTACT.email):
        assert secret not in hexed
        assert secret.encode().hex() not in hexed
    [passenger] = booking.passengers
    assert passenger.id_number.open(secrets) == "001099012345"
    assert passenger.id_number.masked(secrets) == "•••••••••345"
    assert passenger.phone.open(secrets) == "+84912345678"
    assert passenger.email is not None
    assert passenger.email.open(secrets) == "An.Nguyen+show@example.com"
    assert booking.contact.email.open(secrets) == "an.nguyen@example.com"
    assert booking.contact.phone.open(secrets) == "+84912345678"
    assert "Sealed()" in repr(booking)
    found = "SELECT count(*) FROM booking_passenger WHERE id_number_index = %s"
    assert await scalar(database, found, secrets.blind_index("001099012345")) == 1


async def test_only_the_owner_the_one_booking_session_staff_and_the_system_reach_a_booking(box, database):
    booking, owner, _ = await box.booked()
    other = await box.guest()
    reaching = [
        owner,
        Actor("guest", new_id(), booking.id),
        Actor("user", new_id(), roles=frozenset({"admin"})),
        SYSTEM,
    ]
    # A session for another booking does not reach this one, not even when the same guest session made it.
    missing = [other, ANONYMOUS, Actor("guest", new_id(), new_id()), Actor("guest", owner.id, new_id())]
    async with database.begin() as work:
        for actor in reaching:
            assert (await get_booking(work, booking.id, actor=actor)).id == booking.id
            assert (await get_booking_by_reference(work, booking.reference, actor=actor)).id == booking.id
            assert len(await list_audit(work, booking.id, actor=actor)) == 1
        for actor in missing:
            for read in (get_booking, list_audit):
                with pytest.raises(BookingNotFound):
                    await read(work, booking.id, actor=actor)
            with pytest.raises(BookingNotFound):
                await get_booking_by_reference(work, booking.reference, actor=actor)
            assert await list_bookings(work, actor=actor) == ([], 0)
        with pytest.raises(BookingNotFound):
            await get_booking(work, new_id(), actor=SYSTEM)


async def test_the_making_is_in_the_audit(box, database):
    booking, actor, _ = await box.booked()
    async with database.begin() as work:
        [entry] = await list_audit(work, booking.id, actor=actor)
    assert (entry.actor, entry.from_status, entry.to_status, entry.reason) == (
        f"guest:{actor.id}",
        None,
        BookingStatus.PENDING,
        "created",
    )


@pytest.mark.parametrize("table", ["booking_audit", "booking_price_line"])
@pytest.mark.parametrize("change", ["UPDATE {} SET created_at = now()", "DELETE FROM {}"])
async def test_audit_and_price_lines_cannot_be_changed(box, database, table, change):
    await box.booked()
    change = change.replace("created_at", "at") if table == "booking_audit" else change
    with pytest.raises(Exception, match="append-only"):
        await scalar(database, change.format(table) + " RETURNING id")


@pytest.mark.parametrize("count", [1, 20])
async def test_a_list_takes_as_many_queries_for_twenty_as_for_one(box, database, count):
    actor, show = await box.guest(), await box.show(seats=20)
    for unit in range(count):
        await box.book(actor, await box.hold(actor, show, [unit]))
    with counted_statements() as queries:
        async with database.begin() as work:
            bookings, total = await list_bookings(work, actor=actor)
    assert (len(bookings), total) == (count, count)
    assert len([query for query in queries if query.startswith("SELECT")]) == 6
