"""What is paid back for seats that are given up: exact, by the terms, never more than was paid."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from farebox.bookings import (
    BookedLine,
    Booking,
    BookingItem,
    BookingStatus,
    ChangePolicy,
    ItemDescription,
    Passenger,
    PlaceTime,
    RefundTier,
    Sealed,
    SealedContact,
    is_cancellable,
)
from farebox.bookings.allowances import discounts
from farebox.bookings.policy import KEPT, no_better_than, quote_seats_given_up, rate_at
from farebox.bookings.sharing import FEE_TAX
from farebox.core.ids import new_id
from farebox.core.money import Money, total
from farebox.pricing.quotes import LABELS

BEGINS = datetime(2026, 12, 24, 8, tzinfo=UTC)
TIERS = ((72, 10_000), (24, 8_000), (2, 5_000))
NOTHING_SEALED = Sealed(b"")


def before(hours):
    return BEGINS - timedelta(hours=hours)


def policy(*, tiers=TIERS, fee_back=False):
    return ChangePolicy(
        cancel_until=BEGINS,
        tiers=tuple(RefundTier(until=before(hours), refund_bp=bp) for hours, bp in tiers),
        is_fee_refundable=fee_back,
    )


def seat(item_id, label):
    return Passenger(
        id=new_id(), item_id=item_id, unit=int(label[1:]), seat_number=label, full_name="An", id_type="passport",
        id_number=NOTHING_SEALED, phone=NOTHING_SEALED, email=None, passenger_type="adult", special_needs=False,
    )  # fmt: skip


def ride(seats, terms=None):
    item_id = new_id()
    labels = tuple(f"A{number}" for number in range(1, seats + 1))
    place = PlaceTime(name="Station", place="Huế", time=BEGINS, timezone="Asia/Ho_Chi_Minh")
    return BookingItem(
        id=item_id, position=0, kind="coach", hold_id=new_id(), inventory_id=1, units=tuple(range(seats)),
        seat_numbers=labels, first_slot=0, end_slot=1, resource_id=new_id(), operator_id=new_id(), from_id=None,
        to_id=None, starts_at=BEGINS, completes_at=BEGINS + timedelta(hours=5),
        description=ItemDescription(operator_name="Lines", title="1", origin=place), policy=terms or policy(),
        passengers=tuple(seat(item_id, label) for label in labels),
    )  # fmt: skip


def line(item, kind, minor, seat_number=None, *, tax=0, currency="EUR"):
    amount, included = Money(minor, currency), Money(tax, currency)
    return BookedLine(item.id, kind, f"a-{kind}", {}, seat_number, amount, included)


def booked(items, lines, currency="EUR"):
    return Booking(
        id=new_id(), reference="BUS20261120K7QM2XA", status=BookingStatus.CONFIRMED, reason=None, owner="guest:1",
        language="en", total=total([each.amount for each in lines], currency), tax=Money.zero(currency),
        contact=SealedContact(NOTHING_SEALED, NOTHING_SEALED), items=tuple(items), lines=tuple(lines), revision=1,
        former=(), created_at=BEGINS, expires_at=None, confirmed_at=BEGINS, cancelled_at=None,
    )  # fmt: skip


def after(booking, quote):
    """The booking as it is once the quote was carried out."""
    items = []
    for item in booking.items:
        left = tuple(person for person in item.passengers if person.id not in quote.passenger_ids)
        if left:
            items.append(replace(item, passengers=left))
    price = total([each.amount for each in quote.left], booking.total.currency)
    return replace(booking, items=tuple(items), lines=quote.left, total=price)


@pytest.mark.parametrize(
    ("hours", "percent"),
    [(1000, 100), (72, 100), (71.99, 80), (24, 80), (23.99, 50), (2, 50), (1.99, 0), (0, 0)],
)
def test_the_rate_falls_from_tier_to_tier_and_each_includes_its_last_instant(hours, percent):
    assert rate_at(policy(), before(hours))[0] == percent * 100


def test_a_rate_says_until_when_it_holds():
    assert rate_at(policy(), before(30)) == (8_000, before(24))
    assert rate_at(policy(), before(1)) == (0, BEGINS)
    assert rate_at(policy(tiers=()), before(1)) == (10_000, BEGINS)


def test_what_has_begun_or_may_not_be_cancelled_is_not_cancellable():
    item = ride(1)
    assert is_cancellable(item, before(0.01))
    assert not is_cancellable(item, BEGINS)
    assert not is_cancellable(replace(item, policy=ChangePolicy()), before(100))


def test_one_of_two_seats_is_given_up_and_the_fee_stays():
    item = ride(2)
    booking = booked([item], [
        line(item, "fare", 1_005, "A1", tax=91), line(item, "seat", 200, "A1"), line(item, "fare", 1_005, "A2"),
        line(item, "fee", 100),
    ])  # fmt: skip
    quote = quote_seats_given_up(booking, {item.passengers[0].id}, before(30))
    [refund] = quote.lines
    assert (refund.price.minor, refund.refund.minor, refund.kept.minor) == (1_205, 964, 241)
    assert (refund.seat_number, refund.refund_bp, quote.until) == ("A1", 8_000, before(24))
    assert not quote.is_whole
    assert [(each.kind, each.seat_number, each.amount.minor) for each in quote.left] == [
        ("fare", "A2", 1_005),
        ("fee", None, 100),
        ("fee", "A1", 241),
    ]
    kept = quote.left[-1]
    assert (kept.label, kept.facts, kept.tax_included.minor) == (KEPT, {"seat": "A1"}, 18)


@pytest.mark.parametrize(
    ("fee_back", "in_full", "refund"), [(False, False, 800), (True, False, 900), (False, True, 1_100)]
)
def test_with_the_last_seat_the_fee_goes_as_the_terms_say_and_always_when_the_operator_cancels(
    fee_back, in_full, refund
):
    item = ride(1, policy(fee_back=fee_back))
    booking = booked([item], [line(item, "fare", 1_000, "A1"), line(item, "fee", 100)])
    quote = quote_seats_given_up(booking, {item.passengers[0].id}, before(30), in_full=in_full)
    assert (quote.refund.minor, quote.kept.minor, quote.is_whole) == (refund, 1_100 - refund, True)
    assert total([each.amount for each in quote.left], "EUR").minor == 1_100 - refund


@pytest.mark.parametrize(("in_full", "refund"), [(False, 1_900), (True, 2_019)])
def test_the_tax_on_the_fee_goes_where_the_fee_goes(in_full, refund):
    item = ride(1)
    assert FEE_TAX in LABELS
    booking = booked([item], [
        line(item, "fare", 1_600, "A1"), line(item, "tax", 300, "A1", tax=300), line(item, "fee", 100),
        replace(line(item, "tax", 19, tax=19), label=FEE_TAX),
    ])  # fmt: skip
    quote = quote_seats_given_up(booking, {item.passengers[0].id}, before(100), in_full=in_full)
    assert quote.refund.minor == refund
    assert sum(each.amount.minor for each in quote.left) == 2_019 - refund


def test_what_counts_for_all_seats_is_shared_by_what_they_cost():
    """A discount on the whole ride goes with the seats that made it: nobody is left paying less than nothing."""
    item = ride(2)
    booking = booked([item], [
        line(item, "fare", 1_000, "A1"), line(item, "fare", 500, "A2"), line(item, "discount", -1_400),
        line(item, "tax", 10, tax=10), line(item, "fee", 50),
    ])  # fmt: skip
    both = quote_seats_given_up(booking, {person.id for person in item.passengers}, before(100))
    assert [each.price.minor for each in both.lines] == [74, 36, 50]
    quote = quote_seats_given_up(booking, {item.passengers[0].id}, before(100))
    assert quote.refund.minor == 74
    assert [(each.kind, each.amount.minor) for each in quote.left] == [
        ("fare", 500), ("discount", -467), ("tax", 3), ("fee", 50),
    ]  # fmt: skip


def test_a_discount_beyond_the_seats_is_off_the_fee():
    item = ride(2)
    booking = booked([item], [
        line(item, "fare", 100, "A1"), line(item, "fare", 100, "A2"), line(item, "discount", -230),
        line(item, "fee", 50),
    ])  # fmt: skip
    people = {person.id for person in item.passengers}
    assert quote_seats_given_up(booking, people, before(100)).refund.minor == 0
    full = quote_seats_given_up(booking, people, before(100), in_full=True)
    assert (full.refund.minor, full.left) == (20, ())


@pytest.mark.parametrize("in_full", [True, False])
def test_a_discount_beyond_all_that_is_given_up_stays_off_what_is_kept(in_full):
    """Somebody got more off a ride than the seat costs that is left of it; giving that up costs nothing."""
    short, other = ride(1, policy(fee_back=True)), ride(1)
    booking = booked([short, other], [
        line(short, "fare", 100, "A1", tax=10), line(short, "discount", -150, tax=-15),
        line(other, "fare", 100, "A1", tax=10),
    ])  # fmt: skip
    quote = quote_seats_given_up(booking, {short.passengers[0].id}, before(100), in_full=in_full)
    assert (quote.refund.minor, [(each.kind, each.amount.minor) for each in quote.left]) == (
        0,
        [("fare", 100), ("discount", -50)],
    )
    rest = after(booking, quote)
    last = quote_seats_given_up(rest, {other.passengers[0].id}, before(30), in_full=in_full)
    assert (last.refund.minor, total([each.amount for each in last.left], "EUR").minor) == (50, 0)
    assert total([each.tax_included for each in last.left], "EUR").minor == 0


def test_what_an_earlier_cancellation_cost_stays_whoever_cancels_the_rest():
    item = ride(2)
    booking = booked([item], [line(item, "fare", 1_000, "A1"), line(item, "fare", 1_000, "A2")])
    rest = after(booking, quote_seats_given_up(booking, {item.passengers[0].id}, before(30)))
    quote = quote_seats_given_up(rest, {rest.passengers[0].id}, before(30), in_full=True)
    assert (quote.refund.minor, quote.is_whole) == (1_000, True)
    assert [(each.label, each.amount.minor) for each in quote.left] == [(KEPT, 200)]


@st.composite
def bookings(draw):
    """Up to three rides, prices of any size, and discounts, tax and fees on seats and on whole rides."""
    currency = draw(st.sampled_from(["VND", "EUR", "KWD"]))
    items, lines = [], []
    for _ in range(draw(st.integers(1, 3))):
        bps = sorted(draw(st.lists(st.integers(0, 10_000), max_size=3)), reverse=True)
        hours = sorted(draw(st.lists(st.integers(1, 200), min_size=len(bps), max_size=len(bps))), reverse=True)
        item = ride(draw(st.integers(1, 4)), policy(tiers=zip(hours, bps, strict=True), fee_back=draw(st.booleans())))
        worth = 0
        for person in item.passengers:
            price = draw(st.integers(0, 1_000_000))
            off = draw(st.integers(0, price))
            lines.append(line(item, "fare", price, person.seat_number, tax=price // 11, currency=currency))
            lines.append(line(item, "discount", -off, person.seat_number, tax=-(off // 11), currency=currency))
            worth += price - off
        fee = draw(st.integers(0, 5_000))
        shared = draw(st.integers(0, worth + fee))
        lines.append(line(item, "fee", fee, tax=fee // 11, currency=currency))
        lines.append(line(item, "discount", -shared, tax=-(shared // 11), currency=currency))
        lines.append(line(item, "tax", draw(st.integers(0, 9_999)), currency=currency))
        items.append(item)
    return booked(items, [each for each in lines if each.amount], currency)


@given(bookings(), st.data())
def test_in_whatever_parts_and_order_seats_are_given_up_no_unit_of_money_comes_or_goes(booking, data):
    """What is paid back and what is left to be paid are always what was paid, and neither is ever below nothing."""
    paid, back = booking.total.minor, 0
    while booking.passengers:
        going = data.draw(st.sets(st.sampled_from([person.id for person in booking.passengers]), min_size=1))
        quote = quote_seats_given_up(
            booking, going, before(data.draw(st.integers(0, 250))), in_full=data.draw(st.booleans())
        )
        assert all(0 <= each.refund.minor <= each.price.minor for each in quote.lines)
        assert quote.price.minor == quote.refund.minor + quote.kept.minor
        assert quote.is_whole == (len(going) == len(booking.passengers))
        booking = after(booking, quote)
        back += quote.refund.minor
        assert booking.total.minor == paid - back >= 0


def lowered(booking, minor):
    """The booking after an allowance on all of its rides."""
    off = discounts(booking, Money(minor, booking.total.currency), items=[item.id for item in booking.items])
    lines = (*booking.lines, *off)
    return replace(booking, lines=lines, total=total([each.amount for each in lines], booking.total.currency))


def tax_of(lines):
    return sum(each.tax_included.minor for each in lines)


def test_the_tax_in_an_allowance_is_that_of_the_seats_and_then_that_of_the_fee():
    item = ride(2)
    lines = [line(item, "fare", 625, f"A{number}", tax=57) for number in (1, 2)]
    for fee_tax, expected in ((0, {1: 0, 625: 57, 1_250: 114, 1_300: 114, 1_350: 114}), (20, {1_300: 124, 1_350: 134})):
        booking = booked([item], [*lines, line(item, "fee", 100, tax=fee_tax)])
        found = {minor: -tax_of(discounts(booking, Money(minor, "EUR"), items=[item.id])) for minor in expected}
        assert found == expected


@pytest.mark.parametrize(("given_back", "left"), [(1_450, (0, 0)), (1_440, (10, 0)), (1_350, (100, 0))])
def test_a_fee_that_goes_in_full_takes_its_tax_out_of_what_an_allowance_was_off_it(given_back, left):
    item = ride(2)
    fares = [line(item, "fare", 625, f"A{number}", tax=57) for number in (1, 2)]
    sold = booked([item], [*fares, line(item, "fee", 200, "A1", tax=18), line(item, "fee", 100)])
    booking = lowered(sold, given_back - 100)
    quote = quote_seats_given_up(booking, {item.passengers[0].id}, before(100), in_full=True)
    assert (after(booking, quote).total.minor, tax_of(quote.left)) == left


def test_an_allowance_beyond_all_that_is_given_up_takes_the_tax_of_what_is_kept_along():
    """The fee goes back, and with it what was off the fee that is kept for the first seat."""
    item = ride(2, policy(fee_back=True))
    fares = [line(item, "fare", 1_000, f"A{number}", tax=91) for number in (1, 2)]
    booking = booked([item], [*fares, line(item, "fee", 100)])
    booking = after(booking, quote_seats_given_up(booking, {item.passengers[0].id}, before(30)))
    assert (booking.total.minor, tax_of(booking.lines)) == (1_300, 109)
    free = lowered(booking, 1_300)
    last = quote_seats_given_up(free, {item.passengers[1].id}, before(100))
    assert (last.refund.minor, after(free, last).total.minor, tax_of(last.left)) == (0, 0, 0)


@st.composite
def taxed(draw):
    """A ride with seats and a fee for all, whose tax has other rates, and fees of some seats, as of a change."""
    rate, fee_rate = draw(st.integers(0, 3_000)), draw(st.sampled_from([0, 700, 2_500]))
    item = ride(draw(st.integers(1, 4)), policy(fee_back=draw(st.booleans())))
    prices = st.one_of(st.integers(1, 30), st.integers(1, 100_000))
    lines = []
    for person in item.passengers:
        price, fee = draw(prices), draw(st.one_of(st.just(0), prices))
        lines.append(line(item, "fare", price, person.seat_number, tax=price * rate // (10_000 + rate)))
        lines.append(line(item, "fee", fee, person.seat_number, tax=fee * rate // (10_000 + rate)))
    fee = draw(st.integers(0, 5_000))
    lines.append(line(item, "fee", fee, tax=fee * fee_rate // (10_000 + fee_rate)))
    return booked([item], [each for each in lines if each.amount])


@given(taxed(), st.data())
def test_whoever_stays_after_allowances_pays_tax_between_none_and_all_of_the_price(booking, data):
    while booking.passengers:
        if data.draw(st.booleans()):
            booking = lowered(booking, data.draw(st.integers(0, booking.total.minor)))
            assert 0 <= tax_of(booking.lines) <= booking.total.minor
        going = data.draw(st.sets(st.sampled_from([person.id for person in booking.passengers]), min_size=1))
        hours, in_full = data.draw(st.sampled_from([100, 30, 1])), data.draw(st.booleans())
        booking = after(booking, quote_seats_given_up(booking, going, before(hours), in_full=in_full))
        assert 0 <= tax_of(booking.lines) <= booking.total.minor


@given(bookings())
def test_all_of_it_given_up_in_full_leaves_nothing(booking):
    quote = quote_seats_given_up(booking, {person.id for person in booking.passengers}, BEGINS, in_full=True)
    assert (quote.refund, quote.left) == (booking.total, ())


@pytest.mark.parametrize(
    ("hours", "rates"),
    [(100, (10_000, 8_000, 5_000)), (30, (8_000, 8_000, 5_000)), (10, (5_000, 5_000, 5_000)), (1, (0, 0, 0))],
)
def test_who_changes_late_does_not_get_back_more_for_the_new_seat(hours, rates):
    old = policy()
    new = ChangePolicy(cancel_until=BEGINS + timedelta(days=7), tiers=old.tiers)
    terms = no_better_than(new, old, before(hours))
    assert tuple(tier.refund_bp for tier in terms.tiers) == rates
    assert [tier.until for tier in terms.tiers] == [tier.until for tier in new.tiers]


def test_terms_that_pay_back_all_or_nothing_are_bounded_too():
    new = ChangePolicy(cancel_until=BEGINS + timedelta(days=7))
    assert no_better_than(new, ChangePolicy(cancel_until=BEGINS), before(1)) == new
    late = no_better_than(new, ChangePolicy(cancel_until=before(24)), before(10))
    assert rate_at(late, before(10)) == (0, new.cancel_until)
    never = no_better_than(new, ChangePolicy(cancel_until=None), before(10))
    assert rate_at(never, before(10)) == (0, new.cancel_until)
