"""The price of a booking whose people get other seats: whatever it is made of, nobody wins by changing."""

from dataclasses import replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs
from tests.bookings.test_policy import BEGINS, before, bookings

from farebox.bookings import ItemDescription, ItemOffer, PlaceTime
from farebox.bookings.changes import Move, SeatChange
from farebox.bookings.moving import reprice
from farebox.bookings.policy import no_better_than, quote_seats_given_up
from farebox.core.ids import new_id
from farebox.core.money import Money, total
from farebox.pricing import PriceLine, Quote


def moved_to(item, people):
    """These people on seats of another ride, a week later, under the same terms."""
    new_item_id = new_id()
    moves = tuple(Move(passenger_id=each.id, unit=place, seat_number=f"B{place}") for place, each in enumerate(people))
    offer = ItemOffer("coach", new_id(), 2, 0, 1, new_id(), item.operator_id, ())
    later = BEGINS + timedelta(days=7)
    place = PlaceTime(name="Station", place="Huế", time=later, timezone="Asia/Ho_Chi_Minh")
    about = ItemDescription(operator_name="Lines", title="2", origin=place)
    is_whole = len(people) == len(item.passengers)
    return SeatChange(
        item_id=item.id, is_whole=is_whole, is_longer=False, moves=moves, new_item_id=new_item_id, offer=offer,
        description=about, policy=item.policy, completes_at=later,
    )  # fmt: skip


def changed(booking, item, change, price, at):
    """The booking as it is once the people of a change sit elsewhere."""
    people = {each.id: each for each in item.passengers}
    there = tuple(
        replace(people[move.passenger_id], item_id=change.new_item_id, seat_number=move.seat_number)
        for move in change.moves
    )
    new = replace(
        item, id=change.new_item_id, passengers=there, starts_at=change.description.origin.time,
        policy=no_better_than(change.policy, item.policy, at),
    )  # fmt: skip
    rest = tuple(each for each in item.passengers if each not in [people[move.passenger_id] for move in change.moves])
    items = [replace(each, passengers=rest) if each.id == item.id else each for each in booking.items]
    left = tuple(each for each in (*items, new) if each.passengers)
    cost = total([each.amount for each in price.lines], booking.total.currency)
    return replace(booking, items=left, lines=price.lines, total=cost)


def priced_by_seat(booking):
    """Without tax on whole rides: pricing adds it seat by seat."""
    lines = tuple(each for each in booking.lines if each.kind != "tax")
    return replace(booking, lines=lines, total=total([each.amount for each in lines], booking.total.currency))


@given(bookings(), st.data())
def test_who_changes_and_then_cancels_never_gets_back_more_than_who_cancels(booking, data):
    """However dear and cheap the new seats are, and in however many steps; and no step breaks the price.

    But for rounding: each seat is rounded on its own when it is cancelled, and steps must not add that up.
    """
    booking = priced_by_seat(booking)
    hours = data.draw(st.integers(0, 250))
    at, paid, back = before(hours), booking.total, 0
    alone = quote_seats_given_up(booking, {each.id for each in booking.passengers}, at).refund.minor
    now = booking
    for _ in range(data.draw(st.integers(1, 3))):
        item = data.draw(st.sampled_from(now.items))
        going = data.draw(st.lists(st.sampled_from(item.passengers), min_size=1, unique_by=lambda each: each.id))
        fee = data.draw(st.integers(0, 5_000))
        item = replace(item, policy=structs.replace(item.policy, change_fee_minor=fee))
        change = moved_to(item, going)
        prices = [data.draw(st.integers(0, 1_000_000)) for _ in going]
        quote = Quote(
            tuple(
                PriceLine("fare", "fare-adult", Money(price, paid.currency), Money(price // 11, paid.currency), seat)
                for price, seat in zip(prices, [move.seat_number for move in change.moves], strict=True)
            ),
            paid.currency,
        )
        price = reprice(now, item, change, quote, at)
        after = changed(now, item, change, price, at)
        gone, added = (total([each.amount for each in lines], paid.currency) for lines in (price.gone, price.added))
        assert now.total - gone + added == after.total
        assert after.total.minor >= 0
        back += now.total.minor - after.total.minor  # what is to be paid for a dearer seat is below nothing
        now = after
    later = quote_seats_given_up(now, {each.id for each in now.passengers}, at).refund.minor
    assert back + later <= alone + len(booking.passengers)
