"""Changes of sold bookings with their money: what is paid, what goes back, and what is not made after all."""

from dataclasses import replace
from typing import Any

import pytest
from tests.bookings.shows import Show, scalar
from tests.payments.till import Till, paid

from farebox.accounts import Actor, Permission
from farebox.bookings import (
    Booking,
    BookingChanged,
    ChangeNotFound,
    ChangePending,
    ChangeWish,
    NotChangeable,
    PriceChanged,
    SeatWish,
    expire_changes,
    withdraw_change,
)
from farebox.core.errors import Invalid, NotAllowed
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.inventory import Hold, HoldExpired, HoldNotFound, status
from farebox.payments import Changed, ChangeTerms, change_booking, verify_ledger

DAY = 86_400


class Exchange:
    """A till at which bookings are changed."""

    def __init__(self, till: Till) -> None:
        self.till, self.box, self.database = till, till.box, till.database

    async def sold(self, units: tuple[int, ...] = (0,), **show: Any) -> tuple[Booking, Actor, Show]:
        booking, actor, programme, payment = await self.till.paying(units, **show)
        await self.till.play(payment, "succeeded")
        self.till.events.clear()
        return await self.till.booking(booking), actor, programme

    async def change(
        self,
        booking: Booking,
        hold: Hold,
        actor: Actor,
        *passengers: SeatWish,
        holder: Actor | None = None,
        **terms: Any,
    ) -> Changed:
        async with self.database.begin() as work:
            return await change_booking(
                work,
                booking.id,
                ChangeWish(hold.id, holder or actor, passengers),
                actor=actor,
                verticals=self.box.verticals,
                terms=ChangeTerms(window_seconds=1200, **terms),
                signer=self.box.secrets,
            )

    async def pay(self, changed: Changed, actor: Actor, **more: Any) -> Any:
        assert changed.waiting is not None
        return await self.till.start(changed.booking, actor, change_id=changed.waiting.id, **more)

    async def states(self, show: Show) -> dict[int, str]:
        async with self.database.begin() as work:
            return {unit.unit: unit.state for unit in await status(work, show.inventory_id, 0, 1)}

    async def let_run_out(self, changed: Changed) -> None:
        """Let the time to pay for a change be over: its clock, and its hold's with all its claims."""
        assert changed.waiting is not None
        past = "now() - interval '1 second'"
        async with self.database.begin() as work:
            await work.execute(f"UPDATE booking_change SET expires_at = {past} WHERE id = %s", (changed.waiting.id,))
            await work.execute(f"UPDATE hold SET expires_at = {past} WHERE id = %s", (changed.waiting.hold_id,))
            await work.execute(f"UPDATE claim SET expires_at = {past} WHERE hold_id = %s", (changed.waiting.hold_id,))


@pytest.fixture
def exchange(till):
    """After each test the books are asked whether they are right."""
    yield Exchange(till)
    assert [str(verdict) for verdict in verify_ledger(till.database.direct_dsn) if verdict.broken] == []


def lines_of(booking):
    return [(line.kind, line.seat_number, line.amount.minor) for line in booking.lines]


async def test_a_dearer_show_waits_for_its_money_and_is_then_changed(exchange, till):
    booking, actor, show = await exchange.sold((0,), price=1000, change_fee=50)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other, (2,)), actor)
    assert changed.waiting is not None
    assert changed.quote.owed == changed.waiting.owed == Money(550, "EUR")
    assert await exchange.states(show) == {0: "sold"}
    assert await exchange.states(other) == {2: "held"}
    assert await till.booking(booking) == booking

    payment = await exchange.pay(changed, actor)
    assert payment.amount == Money(550, "EUR")
    await till.play(payment, "succeeded")
    after = await till.booking(booking)
    assert lines_of(after) == [("fee", None, 100), ("fare", "A3", 1500), ("fee", "A3", 50)]
    assert after.total == Money(1650, "EUR")
    assert [item.resource_id for item in after.items] == [other.id]
    assert [seat.passenger.seat_number for seat in after.former] == ["A1"]
    assert await exchange.states(show) == {}
    assert await exchange.states(other) == {2: "sold"}
    assert await till.charges() == [("applied", 1100, 0), ("applied", 550, 0)]
    assert await till.ledger(booking) == {"clearing": 1650, "sales": -1650}
    assert [each.is_return for each in till.events if isinstance(each, BookingChanged)] == [False]


async def test_an_equal_show_costs_nothing_and_is_changed_at_once(exchange, till):
    booking, actor, show = await exchange.sold((0, 1))
    other = await exchange.box.show()
    changed = await exchange.change(booking, await exchange.box.hold(actor, other, (0, 1)), actor)
    assert changed.waiting is None
    assert changed.booking.total == booking.total
    assert await exchange.states(show) == {}
    assert await exchange.states(other) == {0: "sold", 1: "sold"}
    assert await till.steps(booking) == ["created", "payment-started", "paid", "changed"]
    assert await till.charges() == [("applied", 2600, 0)]
    assert await till.ledger(booking) == {"clearing": 2600, "sales": -2600}


async def test_a_cheaper_show_pays_the_difference_back(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=2000, change_fee=200, begins_in=3 * DAY)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    assert changed.quote.given_back == Money(300, "EUR")
    assert changed.booking.total == Money(1800, "EUR")
    assert await till.charges() == [("applied", 2100, 300)]
    assert await till.ledger(booking) == {"clearing": 2100, "sales": -1800, "refunds-due": -300}
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1800, "sales": -1800}
    assert (await till.booking(booking)).status == "confirmed"


async def test_some_people_change_and_the_others_keep_their_seats(exchange, till):
    booking, actor, show = await exchange.sold((0, 1, 2), price=1000)
    going = booking.passengers[1]
    other = await exchange.box.show(price=1000)
    await exchange.change(booking, await exchange.box.hold(actor, other, (3,)), actor, SeatWish(going.id))
    after = await till.booking(booking)
    assert [(item.resource_id, item.seat_numbers) for item in after.items] == [
        (show.id, ("A1", "A3")),
        (other.id, ("A4",)),
    ]
    assert await exchange.states(show) == {0: "sold", 2: "sold"}
    assert lines_of(after) == [("fare", "A1", 1000), ("fare", "A3", 1000), ("fee", None, 100), ("fare", "A4", 1000)]
    assert after.total == booking.total


async def test_another_seat_in_the_same_show(exchange, till):
    booking, actor, show = await exchange.sold((1,))
    await exchange.change(booking, await exchange.box.hold(actor, show, (3,)), actor)
    after = await till.booking(booking)
    assert [passenger.seat_number for passenger in after.passengers] == ["A4"]
    assert await exchange.states(show) == {3: "sold"}
    assert after.total == booking.total


async def test_one_way_of_a_round_trip_is_changed_and_the_other_stays(exchange, till):
    actor = await exchange.box.guest()
    there, back, later = await exchange.box.show(), await exchange.box.show(), await exchange.box.show()
    booking = await exchange.box.book(
        actor, await exchange.box.hold(actor, there), await exchange.box.hold(actor, back)
    )
    await till.play(await till.start(booking, actor), "succeeded")
    booking = await till.booking(booking)
    way_back = booking.items[1].passengers[0]
    await exchange.change(booking, await exchange.box.hold(actor, later), actor, SeatWish(way_back.id))
    after = await till.booking(booking)
    assert [item.resource_id for item in after.items] == [there.id, later.id]
    assert after.items[0].passengers == booking.items[0].passengers
    assert [await exchange.states(show) for show in (there, back, later)] == [{0: "sold"}, {}, {0: "sold"}]


async def test_the_old_ticket_is_void_and_the_new_one_names_the_new_seat(exchange, till):
    booking, actor, show = await exchange.sold((1,))
    old = await scalar(till.database, "SELECT token FROM ticket WHERE booking_id = %s", booking.id)
    await exchange.change(booking, await exchange.box.hold(actor, show, (2,)), actor)
    query = "SELECT string_agg(status || ' ' || seat, ', ' ORDER BY issued_at, id) FROM ticket"
    assert await scalar(till.database, query) == "void A2, issued A3"
    new = await scalar(till.database, "SELECT token FROM ticket WHERE status = 'issued'")
    assert new != old


async def test_the_people_keep_their_sealed_data_on_the_new_seat(exchange, till):
    booking, actor, show = await exchange.sold((1,))
    await exchange.change(booking, await exchange.box.hold(actor, show, (2,)), actor)
    [before], [after] = booking.passengers, (await till.booking(booking)).passengers
    secrets = exchange.box.secrets
    assert after.id != before.id
    assert after.full_name == before.full_name
    assert after.id_number.open(secrets) == before.id_number.open(secrets)
    assert after.phone.open(secrets) == before.phone.open(secrets)


async def test_who_needs_an_accessible_seat_gets_the_one_that_is_held(exchange, till):
    actor, show, other = await exchange.box.guest(), await exchange.box.show(), await exchange.box.show()
    hold = await exchange.box.hold(actor, show, (0, 1))
    people = [replace(each, special_needs=each.seat_number == "A1") for each in exchange.box.people(hold)]
    booking = await exchange.box.book(actor, hold, passengers=people)
    await till.play(await till.start(booking, actor), "succeeded")
    booking = await till.booking(booking)
    ordered = [SeatWish(person.id) for person in reversed(booking.passengers)]
    await exchange.change(booking, await exchange.box.hold(actor, other, (2, 0)), actor, *ordered)
    seats = {person.special_needs: person.seat_number for person in (await till.booking(booking)).passengers}
    assert seats == {True: "A1", False: "A3"}


async def test_a_second_change_waits_until_the_first_is_decided(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    await exchange.change(booking, await exchange.box.hold(actor, other, (0,)), actor)
    hold = await exchange.box.hold(actor, await exchange.box.show(price=1000))
    with pytest.raises(ChangePending):
        await exchange.change(booking, hold, actor)
    async with till.database.begin() as work:
        await withdraw_change(work, booking.id, actor=actor)
    assert await exchange.states(other) == {}
    assert (await exchange.change(booking, hold, actor)).waiting is None


async def test_money_that_comes_after_the_change_was_withdrawn_goes_back(exchange, till):
    booking, actor, show = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    async with till.database.begin() as work:
        await withdraw_change(work, booking.id, actor=actor)
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 1100, 0), ("unwanted", 500, 500)]
    assert await scalar(till.database, "SELECT reason FROM refund") == "change-not-made"
    assert await till.booking(booking) == booking
    assert await exchange.states(show) == {0: "sold"}
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1100, "sales": -1100}
    assert (await till.booking(booking)).status == "confirmed"


async def test_a_change_whose_time_is_over_frees_its_seats_and_its_money_goes_back(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await exchange.let_run_out(changed)
    till.events.clear()
    async with till.database.begin() as work:
        assert await expire_changes(work) == 1
    async with till.database.begin() as work:
        assert await expire_changes(work) == 0
    assert till.told() == ["booking.change-failed"]
    assert await exchange.states(other) == {}
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 1100, 0), ("late", 500, 500)]
    assert (await till.booking(booking)).items == booking.items


async def test_seats_that_somebody_took_in_between_leave_the_booking_as_it_was(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await exchange.let_run_out(changed)
    await exchange.box.hold(await exchange.box.guest(), other)
    till.events.clear()
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 1100, 0), ("late", 500, 500)]
    assert await till.booking(booking) == booking
    assert "booking.change-failed" in till.told()


async def test_money_a_moment_late_changes_while_nobody_has_the_seats(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await exchange.let_run_out(changed)
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 1100, 0), ("applied", 500, 0)]
    assert [item.resource_id for item in (await till.booking(booking)).items] == [other.id]


async def test_another_amount_than_is_owed_for_a_change_goes_back(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    changed = await exchange.change(booking, await exchange.box.hold(actor, other), actor)
    payment = await exchange.pay(changed, actor)
    await till.deliver(paid(payment, amount=499))
    assert await till.charges() == [("applied", 1100, 0), ("mismatched", 499, 499)]
    assert await exchange.states(other) == {0: "held"}
    await till.deliver(paid(payment, charge="ch_right"))
    assert [item.resource_id for item in (await till.booking(booking)).items] == [other.id]


async def test_a_change_that_was_paid_twice_keeps_one_payment(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=1000)
    other = await exchange.box.show(price=1500)
    payment = await exchange.pay(await exchange.change(booking, await exchange.box.hold(actor, other), actor), actor)
    await till.deliver(paid(payment))
    await till.deliver(paid(payment, charge="ch_again"))
    assert await till.charges() == [("applied", 1100, 0), ("applied", 500, 0), ("duplicate", 500, 500)]


async def test_the_seats_must_be_held_by_who_changes(exchange, till):
    booking, actor, show = await exchange.sold((0,))
    theirs = await exchange.box.hold(await exchange.box.guest(), show, (1,))
    with pytest.raises(HoldNotFound):
        await exchange.change(booking, theirs, actor)
    over = await exchange.box.hold(actor, show, (2,), ttl_seconds=-1)
    with pytest.raises(HoldExpired):
        await exchange.change(booking, over, actor)


async def test_seats_of_one_hold_are_sold_to_one_booking(exchange, till):
    first, actor, show = await exchange.sold((0,))
    second = await exchange.box.book(actor, await exchange.box.hold(actor, show, (1,)))
    await till.play(await till.start(second, actor), "succeeded")
    second = await till.booking(second)
    hold = await exchange.box.hold(actor, show, (2,))
    await exchange.change(first, hold, actor)
    with pytest.raises(HoldNotFound):
        await exchange.change(second, hold, actor)
    assert await exchange.states(show) == {1: "sold", 2: "sold"}


async def test_a_show_that_has_begun_is_not_changed(exchange, till):
    booking, actor, _ = await exchange.sold((0,), begins_in=3600)
    other = await exchange.box.show()
    hold = await exchange.box.hold(actor, other)
    with pytest.raises(NotChangeable) as refused:
        await exchange.change(booking, hold, actor)
    assert refused.value.fields["booking_status"] == "confirmed"


async def test_an_unpaid_booking_is_not_changed_but_modified(exchange, till):
    booking, actor, show = await exchange.box.booked()
    with pytest.raises(NotChangeable):
        await exchange.change(booking, await exchange.box.hold(actor, show, (1,)), actor)


async def test_a_price_other_than_the_one_shown_changes_nothing(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=2000, begins_in=3 * DAY)
    other = await exchange.box.show(price=1500)
    hold = await exchange.box.hold(actor, other)
    with pytest.raises(PriceChanged) as refused:
        await exchange.change(booking, hold, actor, expected_total=Money(1500, "EUR"))
    assert refused.value.fields["total"] == Money(1600, "EUR")
    assert await exchange.states(other) == {0: "held"}


@pytest.mark.parametrize(
    ("units", "named", "code"),
    [((1, 2), 1, "seat-count"), ((1,), 2, "seat-count")],
)
async def test_each_person_who_changes_needs_one_seat(exchange, till, units, named, code):
    booking, actor, _ = await exchange.sold((0, 1))
    hold = await exchange.box.hold(actor, await exchange.box.show(), units)
    wishes = [SeatWish(person.id) for person in booking.passengers[:named]]
    with pytest.raises(Invalid) as refused:
        await exchange.change(booking, hold, actor, *wishes)
    assert [error.code for error in refused.value.errors] == [code]


async def test_seats_of_another_operator_are_refused(exchange, till):
    booking, actor, _ = await exchange.sold((0,))
    hold = await exchange.box.hold(actor, await exchange.box.show(operator="other"))
    with pytest.raises(Invalid) as refused:
        await exchange.change(booking, hold, actor)
    assert [error.code for error in refused.value.errors] == ["other-operator"]


async def test_people_who_are_not_on_the_booking_are_refused(exchange, till):
    booking, actor, show = await exchange.sold((0,))
    with pytest.raises(Invalid) as refused:
        await exchange.change(booking, await exchange.box.hold(actor, show, (1,)), actor, SeatWish(new_id()))
    assert [error.code for error in refused.value.errors] == ["unknown-passenger"]


def agent_of(*shows: Show) -> Actor:
    """Somebody in the box office of these shows' operators."""
    may = frozenset({Permission.BOOKINGS_READ, Permission.BOOKINGS_CHANGE, Permission.PASSENGERS_READ})
    return Actor("user", new_id(), grants=tuple((show.operator_id, may) for show in shows))


async def test_the_box_office_changes_after_the_travellers_last_moment(exchange, till):
    booking, actor, show = await exchange.sold((0,), begins_in=3600)
    agent, other = agent_of(show), await exchange.box.show()
    with pytest.raises(NotChangeable):
        await exchange.change(booking, await exchange.box.hold(actor, other, (1,)), actor)
    await exchange.change(booking, await exchange.box.hold(agent, other, (2,)), agent)
    assert [item.seat_numbers for item in (await till.booking(booking)).items] == [("A3",)]
    assert (await till.booking(booking)).owner == actor.owner


async def test_the_box_office_changes_its_operators_trips_only(exchange, till):
    actor = await exchange.box.guest()
    ours, theirs = await exchange.box.show(), await exchange.box.show(operator="other")
    booking = await exchange.box.book(
        actor, await exchange.box.hold(actor, ours), await exchange.box.hold(actor, theirs)
    )
    await till.play(await till.start(booking, actor), "succeeded")
    booking = await till.booking(booking)
    agent = agent_of(ours)
    [not_ours] = [item for item in booking.items if item.operator_id == theirs.operator_id]
    hold = await exchange.box.hold(agent, await exchange.box.show(operator="other"))
    with pytest.raises(NotAllowed):
        await exchange.change(booking, hold, agent, SeatWish(not_ours.passengers[0].id))


async def test_a_change_is_withdrawn_by_its_operator_and_by_no_other_of_the_booking(exchange, till):
    actor = await exchange.box.guest()
    ours, theirs = await exchange.box.show(), await exchange.box.show(operator="other")
    booking = await exchange.box.book(
        actor, await exchange.box.hold(actor, ours), await exchange.box.hold(actor, theirs)
    )
    await till.play(await till.start(booking, actor), "succeeded")
    booking = await till.booking(booking)
    [our_item] = [item for item in booking.items if item.operator_id == ours.operator_id]
    dearer = await exchange.box.show(price=9000)
    hold = await exchange.box.hold(actor, dearer)
    await exchange.change(booking, hold, actor, SeatWish(our_item.passengers[0].id))
    async with till.database.begin() as work:
        with pytest.raises(ChangeNotFound):
            await withdraw_change(work, booking.id, actor=agent_of(theirs))
    assert await exchange.states(dearer) == {0: "held"}
    async with till.database.begin() as work:
        await withdraw_change(work, booking.id, actor=agent_of(ours))
    assert await exchange.states(dearer) == {}


async def test_a_fee_of_an_earlier_change_stays_with_the_seat(exchange, till):
    booking, actor, _ = await exchange.sold((0,), price=2000, change_fee=100, begins_in=3 * DAY)
    cheaper = await exchange.box.show(price=1500, change_fee=50, begins_in=3 * DAY)
    await exchange.change(booking, await exchange.box.hold(actor, cheaper, (1,)), actor)
    await exchange.change(booking, await exchange.box.hold(actor, await exchange.box.show(price=1000), (2,)), actor)
    after = await till.booking(booking)
    assert lines_of(after) == [
        ("fee", None, 100),
        ("fee", "A3", 100),
        ("fare", "A3", 1000),
        ("fee", "A3", 50),
    ]
    assert {line.item_id for line in after.lines} == {after.items[0].id}
    assert [seat.passenger.seat_number for seat in after.former] == ["A1", "A2"]
