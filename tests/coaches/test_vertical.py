"""A coach as something that can be booked: from a lock to a booking, with the facts frozen."""

from datetime import timedelta
from fractions import Fraction

import msgspec
import pytest
from tests.inventory.kernel import TERMS, open_run, want

from farebox.bookings import BookingRequest, Contact, PassengerDetails, PassengerType, create_booking
from farebox.coaches import CoachVertical, SalesClosed, get_lock
from farebox.core.db import Database
from farebox.core.errors import Invalid
from farebox.core.money import Money
from farebox.inventory import HoldNotFound, get_hold, take
from farebox.pricing import FareTerms, SaleTerms, set_fare_terms

CONTACT = Contact(email="an.nguyen@example.com", phone="+84 912 345 678")


def person(seat: str, *, passenger_type: PassengerType = "adult", special_needs: bool = False) -> PassengerDetails:
    return PassengerDetails(
        seat_number=seat,
        full_name="Nguyễn Văn An",
        id_type="passport",
        id_number="C1234567",
        phone="+84 912 345 678",
        email=None,
        passenger_type=passenger_type,
        special_needs=special_needs,
    )


async def book(coach, work, actor, locks, *people, secrets):
    vertical = CoachVertical()
    return await create_booking(
        work,
        BookingRequest(tuple(lock.id for lock in locks), people, CONTACT),
        actor=actor,
        verticals={vertical.kind: vertical},
        settings=coach.settings,
        secrets=secrets,
    )


async def test_a_lock_becomes_a_booking(coach, secrets):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "bd", "1A", "2B")
        booking = await book(coach, work, an, [lock], person("1A"), person("2B"), secrets=secrets)
    [item] = booking.items
    assert booking.total == lock.total
    assert (item.resource_id, item.from_id, item.to_id) == (coach.id, coach.stop("b"), coach.stop("d"))
    description = item.description
    assert (description.title, description.setting) == (coach.departure.line.name, coach.departure.vehicle.name)
    assert (description.origin.name, description.origin.timezone) == ("Bach", "Europe/Berlin")
    assert description.origin.time == coach.departure.calls[1].departure
    assert description.destination is not None
    assert description.destination.time == coach.departure.calls[3].arrival
    assert [seat.label for seat in description.seats] == ["1A", "2B"]
    assert description.operator_name == "Small Coaches"
    async with coach.database.begin() as work:
        assert (await get_hold(work, lock.id)).owner == f"booking:{booking.id}"
        with pytest.raises(HoldNotFound):
            await get_lock(work, lock.id, actor=an)


async def test_there_and_back_in_one_booking(coach, secrets):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        out = await coach.lock(work, an, "ae", "1A")
        back = await coach.lock_on(work, coach.return_id, an, "1A")
        booking = await book(coach, work, an, [out, back], person("1A"), person("1A"), secrets=secrets)
    assert [item.resource_id for item in booking.items] == [coach.id, coach.return_id]
    assert booking.total == out.total + back.total


async def test_each_passenger_is_priced_by_type_on_the_seat_they_have(coach, secrets):
    async with coach.database.begin() as work:
        terms = FareTerms(service_fee=Money(150, "EUR"), child_discount_bp=5000)
        await set_fare_terms(work, coach.departure.operator_id, terms)
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ae", "4A", "4B")
        booking = await book(
            coach, work, an, [lock], person("4B"), person("4A", passenger_type="child"), secrets=secrets
        )
    adult = lock.quote.for_seat("4A")
    assert lock.quote.for_seat("4B") == adult
    lines = [(line.kind, line.label, line.seat_number, line.amount) for line in booking.lines]
    assert lines == [
        ("fare", "fare-child", "4A", adult.times(Fraction(1, 2))),
        ("fare", "fare-adult", "4B", adult),
        ("fee", "service-fee", None, Money(150, "EUR")),
    ]


async def test_the_facts_of_the_ride_are_kept_as_json(coach):
    vertical = CoachVertical()
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ac", "1A")
        [item] = await vertical.offer(work, await get_hold(work, lock.id))
    stored = msgspec.convert(msgspec.json.decode(msgspec.json.encode(item)), type(item))
    assert vertical.describe(stored) == vertical.describe(item)
    assert vertical.completed_at(stored) == coach.departure.calls[2].arrival
    assert vertical.change_policy(stored) == vertical.change_policy(item)
    assert vertical.validate([stored], []) == []


async def test_without_terms_of_the_operator_the_default_ones_are_frozen(coach):
    leaves = coach.departure.calls[0].departure
    policy = await policy_of(coach, "1A")
    assert [(leaves - tier.until, tier.refund_bp) for tier in policy.tiers] == [
        (timedelta(hours=72), 10_000), (timedelta(hours=24), 8_000), (timedelta(hours=2), 5_000),
    ]  # fmt: skip
    assert policy.cancel_until == policy.change_until == policy.rename_until == leaves - timedelta(hours=2)
    assert (policy.is_fee_refundable, policy.change_fee_minor, policy.rename_fee_minor) == (False, 0, 0)


async def test_the_terms_of_the_seats_type_go_before_the_operators(coach):
    strict = SaleTerms(tiers=(), change_hours=None, rename_hours=24, rename_fee_minor=300, is_fee_refundable=True)
    async with coach.database.begin() as work:
        free = FareTerms(Money.zero("EUR"))
        await set_fare_terms(
            work, coach.departure.operator_id, free, sale_terms={"": SaleTerms(change_hours=5), "standard": strict}
        )
    leaves = coach.departure.calls[0].departure
    policy = await policy_of(coach, "1A")
    assert [(tier.until, tier.refund_bp) for tier in policy.tiers] == [(leaves, 0)]
    assert (policy.cancel_until, policy.change_until) == (leaves, None)
    assert (policy.rename_until, policy.rename_fee_minor) == (leaves - timedelta(hours=24), 300)
    assert policy.is_fee_refundable


async def policy_of(coach, *seats):
    async with coach.database.begin() as work:
        lock = await coach.lock(work, await coach.guest(work), "ac", *seats)
        [item] = await CoachVertical().offer(work, await get_hold(work, lock.id))
    return CoachVertical().change_policy(item)


async def test_what_is_no_coach_is_left_to_others(coach):
    run = await open_run(coach.database)
    async with coach.database.begin() as work:
        hold = await take(work, want(run, 0), owner="guest:an", terms=TERMS)
        assert await CoachVertical().offer(work, hold) == []


async def test_a_coach_that_has_left_or_is_cancelled_is_not_booked(coach, secrets):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ac", "1A")
    late = Database(
        coach.database.url.render_as_string(hide_password=False),
        direct_url=coach.settings.direct_database_url,
        clock=lambda: coach.departure.calls[0].departure,
    )
    try:
        async with late.begin() as work:
            with pytest.raises(SalesClosed):
                await book(coach, work, an, [lock], person("1A"), secrets=secrets)
    finally:
        await late.dispose()
    async with coach.database.begin() as work:
        await work.execute("UPDATE departure SET status = 'cancelled' WHERE id = %s", (coach.id,))
        with pytest.raises(SalesClosed):
            await book(coach, work, an, [lock], person("1A"), secrets=secrets)


async def test_special_needs_ask_for_an_accessible_seat(coach, secrets):
    async with coach.database.begin() as work:
        an = await coach.guest(work)
        lock = await coach.lock(work, an, "ae", "9A")
        with pytest.raises(Invalid) as refusal:
            await book(coach, work, an, [lock], person("9A", special_needs=True), secrets=secrets)
    assert [error.code for error in refusal.value.errors] == ["seat-not-accessible"]
