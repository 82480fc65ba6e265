"""Money that comes in parts: kept until the rest comes, and given back where it does not."""

import pytest
from tests.bookings.shows import person, scalar
from tests.payments.till import declined, paid

from farebox.bookings import BookingStatus, cancel_booking, expire_booking, update_passengers
from farebox.core.money import Money
from farebox.payments import NothingToPay, PaymentRequired, PaymentStatus, confirm_paid, due_for
from farebox.payments.winding_up import wind_up

CONFIRMED, PENDING, PROCESSING = BookingStatus.CONFIRMED, BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING


async def end(till, booking, *, actor=None):
    """The booking ends, by its clock or by somebody, and the job that reacts to that runs."""
    async with till.database.begin() as work:
        await (expire_booking(work, booking.id) if actor is None else cancel_booking(work, booking.id, actor=actor))
    async with till.database.begin() as work:
        return await wind_up(work, booking.id)


async def due(till, booking):
    async with till.database.begin() as work:
        return (await due_for(work, await till.booking(booking))).minor


async def test_a_part_is_kept_and_the_rest_confirms(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="first", amount=1000))
    assert till.told() == ["payment.partially-paid"]
    assert await till.charges() == [("kept", 1000, 0)]
    assert (await till.booking(booking)).status is PROCESSING  # the same transfer may bring the rest
    assert (await till.payment(payment)).status is PaymentStatus.PROCESSING
    assert await till.ledger(booking) == {"clearing": 1000, "receivable": -1000}
    assert await due(till, booking) == 350
    assert await till.tickets() == 0

    await till.deliver(paid(payment, charge="second", amount=350))
    assert till.told() == ["booking.confirmed", "payment.completed"]
    assert await till.charges() == [("applied", 1000, 0), ("applied", 350, 0)]
    assert (await till.booking(booking)).status is CONFIRMED
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert await till.steps(booking) == ["created", "payment-started", "partially-paid", "paid"]
    assert await till.inbox() == ["kept", "applied"]


async def test_the_rest_is_paid_by_another_payment_which_asks_for_no_more_than_that(till):
    booking, actor, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="a part", amount=1000))
    await till.deliver(declined(payment))
    assert (await till.booking(booking)).status is PENDING
    rest = await till.start(booking, actor)
    assert (rest.amount, till.bank.started[-1].amount) == (Money(350, "EUR"), Money(350, "EUR"))
    await till.deliver(paid(rest))
    assert (await till.booking(booking)).status is CONFIRMED
    assert [(await till.payment(each)).status for each in (payment, rest)] == [PaymentStatus.COMPLETED] * 2
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_more_than_the_rest_goes_back_from_what_came_last(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="a part", amount=1000))
    await till.deliver(paid(payment, charge="the whole"))
    assert await till.charges() == [("applied", 1000, 0), ("applied", 1350, 1000)]
    await till.make_refunds()
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


@pytest.mark.parametrize("how", ["expired", "cancelled"])
async def test_a_part_goes_back_when_the_booking_ends_before_the_rest_has_come(till, how):
    booking, actor, _, payment = await till.paying()
    await till.deliver(paid(payment, amount=1000))
    assert await end(till, booking, actor=actor if how == "cancelled" else None) == 1
    reason = "late" if how == "expired" else "unwanted"
    assert await till.charges() == [(reason, 1000, 1000)]
    why = "rest-unpaid" if how == "expired" else "cancelled-before-rest"
    assert await scalar(till.database, "SELECT reason FROM refund") == why
    assert await till.ledger(booking) == {"clearing": 1000, "refunds-due": -1000}
    await till.make_refunds()
    assert await till.ledger(booking) == {}
    assert (await till.booking(booking)).status is BookingStatus.REFUNDED
    assert (await till.payment(payment)).status is PaymentStatus.REFUNDED
    async with till.database.begin() as work:
        assert await wind_up(work, booking.id) == 0  # the job runs again


async def test_a_part_that_comes_after_the_booking_has_ended_goes_back_at_once(till):
    booking, _, _, payment = await till.paying()
    await end(till, booking)
    await till.deliver(paid(payment, amount=1349))
    assert await till.charges() == [("late", 1349, 1349)]


async def test_the_rest_may_come_a_moment_too_late_while_the_first_part_has_not_gone_back(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, charge="first", amount=1000))
    async with till.database.begin() as work:
        await expire_booking(work, booking.id)
    await till.deliver(paid(payment, charge="second", amount=350))
    assert (await till.booking(booking)).status is CONFIRMED
    async with till.database.begin() as work:
        assert await wind_up(work, booking.id) == 0  # the job that reacted to the end comes late, too
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_what_is_kept_confirms_a_booking_whose_price_fell_below_it(till, box, database):
    booking, actor, _, payment = await till.paying((0, 1))
    await till.deliver(paid(payment, amount=2000))
    await till.deliver(declined(payment))
    async with database.begin() as work:
        with pytest.raises(PaymentRequired):
            await confirm_paid(work, booking.id, actor=actor, signer=box.secrets)
        await update_passengers(
            work,
            booking.id,
            passengers=[person("A1"), person("A2", passenger_type="child")],
            actor=actor,
            verticals=box.verticals,
            settings=box.settings,
            secrets=box.secrets,
        )
    with pytest.raises(NothingToPay):
        await till.start(booking, actor)
    async with database.begin() as work:
        confirmed = await confirm_paid(work, booking.id, actor=actor, signer=box.secrets)
    assert confirmed.status is CONFIRMED
    assert await till.charges() == [("applied", 2000, 25)]
    assert await till.tickets() == 2
    await till.make_refunds()
    assert await till.ledger(booking) == {"clearing": 1975, "sales": -1975}


async def test_another_way_of_paying_supersedes_the_checkout_that_was_open(till, database):
    booking, actor, _, first = await till.paying()
    await till.deliver(paid(first, amount=1000))  # kept; what is due has changed, so this is another payment
    second = await till.start(booking, actor)
    assert second.id != first.id
    query = "SELECT superseded_at IS NOT NULL AND next_check_at <= now() FROM payment WHERE id = %s"
    assert await scalar(database, query, first.id) is True
    assert await scalar(database, query, second.id) is False
    await till.deliver(declined(first))
    assert (await till.booking(booking)).status is PROCESSING  # the second is under way
