"""What becomes of money: every way in which it can arrive, and that each ends well."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from psycopg.types.json import Jsonb
from tests.bookings.shows import person, run_out, scalar
from tests.guards import unguarded
from tests.payments.till import declined, paid

from farebox.bookings import (
    BookingStatus,
    CancelReason,
    cancel_booking,
    complete_bookings,
    expire_booking,
    update_passengers,
)
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.inventory import UnitsTaken, claims_on, forget_holds, forget_inventories, sweep
from farebox.payments import PaymentRequired, PaymentStatus, confirm_paid, handle_waiting, settlement
from farebox.payments.inbox import try_to_handle, write_down
from farebox.payments.providers import ProviderEvent

CONFIRMED, CANCELLED, REFUNDED = BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.REFUNDED
PENDING, PROCESSING = BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING


async def is_sold(database, show, unit=0):
    async with database.begin() as work:
        claims = await claims_on(work, show.inventory_id, 0, 1)
    return [claim.expires_at for claim in claims if claim.unit == unit] == [None]


# --- as it should be


async def test_paid_seats_are_sold_and_the_booking_confirmed_with_tickets_and_ledger(till, database):
    booking, _, show, payment = await till.paying((0, 1))
    await till.deliver(paid(payment))
    confirmed = await till.booking(booking)
    assert (confirmed.status, confirmed.expires_at, confirmed.reason) == (CONFIRMED, None, None)
    assert confirmed.confirmed_at is not None
    settled = await till.payment(payment)
    assert (settled.status, settled.failure) == (PaymentStatus.COMPLETED, None)
    assert settled.completed_at is not None
    assert await is_sold(database, show, 0)
    assert await is_sold(database, show, 1)
    assert await till.tickets() == 2
    assert await till.ledger(booking) == {"clearing": 2600, "sales": -2600}
    assert await till.charges() == [("applied", 2600, 0)]
    assert await till.inbox() == ["applied"]
    assert till.told() == ["booking.confirmed", "payment.completed"]
    assert await till.steps(booking) == ["created", "payment-started", "paid"]


async def test_the_ledger_has_each_operators_share(till, box, database):
    actor = await box.guest()
    first, second = await box.show(), await box.show(price=2000, fee=0)
    booking = await box.book(actor, await box.hold(actor, first), await box.hold(actor, second))
    # The second show is another company's.
    other = new_id()
    async with database.begin() as work:
        await work.execute(
            "INSERT INTO operator SELECT (jsonb_populate_record(operator, %s)).* FROM operator",
            (Jsonb({"id": str(other), "code": "other"}),),
        )
        await work.execute("UPDATE booking_item SET operator_id = %s WHERE position = 1", (other,))
    await till.deliver(paid(await till.start(booking, actor)))
    query = "SELECT sum(amount_minor) FROM ledger_entry WHERE account = %s"
    assert await scalar(database, query, f"sales:{first.operator_id}") == -1350
    assert await scalar(database, query, f"sales:{other}") == -2000
    assert await scalar(database, query, "clearing:sandbox") == 3350


@pytest.mark.parametrize("again", ["the same message", "another message about it"])
async def test_what_is_told_twice_counts_once(till, again):
    booking, _, _, payment = await till.paying()
    message = paid(payment)
    await till.deliver(message)
    till.told()
    await till.deliver(message if again == "the same message" else paid(payment))
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.charges() == [("applied", 1350, 0)]
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert await till.inbox() == (["applied"] if again == "the same message" else ["applied", "known-charge"])
    assert till.told() == []
    assert await till.tickets() == 1


async def test_a_payment_paid_before_its_start_was_written_down_is_settled(till, database):
    """The webhook was faster than the provider's answer to us."""
    booking, _, _, payment = await till.paying()
    async with database.begin() as work, unguarded(work, "payment"):
        await work.execute("UPDATE payment SET status = 'pending', external_id = NULL, checkout_url = NULL")
    await till.deliver(paid(payment))
    assert (await till.booking(booking)).status is CONFIRMED
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED


# --- declined


async def test_a_declined_payment_lets_the_booking_wait_and_the_next_one_pays_it(till):
    booking, actor, _, payment = await till.paying()
    await till.deliver(declined(payment))
    assert (await till.booking(booking)).status is PENDING
    failed = await till.payment(payment)
    assert (failed.status, failed.failure) == (PaymentStatus.FAILED, "declined")
    assert till.told() == ["payment.failed"]
    second = await till.start(booking, actor)
    assert second.id != payment.id
    await till.deliver(paid(second))
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_declined_then_paid_on_the_same_page_is_paid(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(declined(payment))
    await till.deliver(paid(payment))
    assert (await till.booking(booking)).status is CONFIRMED
    settled = await till.payment(payment)
    assert (settled.status, settled.failure) == (PaymentStatus.COMPLETED, None)


async def test_a_decline_that_comes_after_the_money_changes_nothing(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    await till.deliver(declined(payment))
    assert (await till.booking(booking)).status is CONFIRMED
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED
    assert await till.inbox() == ["applied", "nothing"]


# --- late


async def test_money_a_moment_after_the_clock_ran_out_still_confirms_without_a_detour(till, database):
    booking, _, show, payment = await till.paying()
    await run_out(database, booking)
    await till.deliver(paid(payment))
    assert (await till.booking(booking)).status is CONFIRMED
    assert till.told() == ["booking.confirmed", "payment.completed"]  # nobody was told that it had run out
    assert await is_sold(database, show)


async def test_late_money_takes_the_seats_again_while_they_are_free(till, database):
    booking, _, show, payment = await till.paying()
    async with database.begin() as work:
        await expire_booking(work, booking.id)
    await till.deliver(paid(payment))
    confirmed = await till.booking(booking)
    assert (confirmed.status, confirmed.reason, confirmed.cancelled_at) == (CONFIRMED, None, None)
    assert await is_sold(database, show)
    assert await till.tickets() == 1
    assert await till.charges() == [("applied", 1350, 0)]


async def lost(till, box, database, how):
    """A booking whose seat somebody else has by now, and its payment."""
    booking, _, show, payment = await till.paying((0, 1))
    if how == "expired":
        async with database.begin() as work:
            await expire_booking(work, booking.id)
    else:
        await run_out(database, booking)
        if how == "swept":
            async with database.begin() as work:
                await sweep(work)
    rival = await box.hold(await box.guest(), show, [1])
    till.told()
    return booking, show, payment, rival


@pytest.mark.parametrize("how", ["expired", "swept", "overtaken"])
async def test_late_money_for_seats_that_are_gone_goes_back_by_itself(till, box, database, how):
    booking, show, payment, rival = await lost(till, box, database, how)
    await till.deliver(paid(payment))
    told = till.told()
    assert told == (
        ["payment.refund-requested"] if how == "expired" else ["booking.cancelled", "payment.refund-requested"]
    )
    cancelled = await till.booking(booking)
    assert (cancelled.status, cancelled.reason) == (CANCELLED, CancelReason.EXPIRED)
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED
    assert await till.charges() == [("late", 2600, 2600)]
    assert await till.ledger(booking) == {"clearing": 2600, "refunds-due": -2600}
    assert await till.tickets() == 0
    async with database.begin() as work:
        assert {claim.hold_id for claim in await claims_on(work, show.inventory_id, 0, 1)} == {rival.id}

    assert await till.make_refunds() == 1
    assert till.told() == ["payment.refunded", "booking.refunded"]
    assert (await till.booking(booking)).status is REFUNDED
    assert (await till.payment(payment)).status is PaymentStatus.REFUNDED
    assert await till.ledger(booking) == {}
    [order] = till.bank.refunds
    assert (order.amount, order.reason, order.charge_external_id) == (Money(2600, "EUR"), "late", f"ch_{payment.id}")


@pytest.mark.parametrize("how", ["the booking ran out before", "the booking still waits"])
async def test_money_after_the_seats_were_forgotten_goes_back_by_itself_although_they_are_free(till, database, how):
    booking, _, show, payment = await till.paying()
    async with database.begin() as work:
        if how == "the booking ran out before":
            await expire_booking(work, booking.id)
            await work.execute("UPDATE hold SET expires_at = expires_at - interval '8 days'")
            assert await forget_holds(work, days=7) == 1
        else:
            assert await forget_inventories(work, [show.inventory_id]) == 1
    await till.deliver(paid(payment))
    cancelled = await till.booking(booking)
    assert (cancelled.status, cancelled.reason) == (CANCELLED, CancelReason.EXPIRED)
    assert await till.charges() == [("late", 1350, 1350)]
    assert await till.tickets() == 0
    async with database.begin() as work:
        assert await claims_on(work, show.inventory_id, 0, 1) == []
    assert await till.make_refunds() == 1
    assert (await till.booking(booking)).status is REFUNDED
    assert await till.ledger(booking) == {}


async def test_late_money_for_a_show_that_has_begun_goes_back_although_the_seat_is_free(till, database):
    booking, _, _, payment = await till.paying(begins_in=-1)
    async with database.begin() as work:
        await expire_booking(work, booking.id)
    await till.deliver(paid(payment))
    assert (await till.booking(booking)).status is CANCELLED
    assert await till.charges() == [("late", 1350, 1350)]


# --- twice


async def test_a_payment_charged_twice_keeps_the_first_and_gives_the_second_back(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    till.told()
    await till.deliver(paid(payment, charge="another"))
    assert till.told() == ["payment.refund-requested"]
    assert await till.charges() == [("applied", 1350, 0), ("duplicate", 1350, 1350)]
    assert await till.ledger(booking) == {"clearing": 2700, "sales": -1350, "refunds-due": -1350}
    await till.make_refunds()
    assert (await till.booking(booking)).status is CONFIRMED
    assert (await till.payment(payment)).status is PaymentStatus.COMPLETED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert await till.tickets() == 1


async def test_two_payments_of_one_booking_keep_the_first_and_give_the_second_back(till, database):
    booking, actor, _, first = await till.paying()
    await till.deliver(declined(first))
    second = await till.start(booking, actor)
    await till.deliver(paid(second))
    await till.deliver(paid(first))  # declined, and then paid after all
    await till.make_refunds()
    assert (await till.payment(first)).status is PaymentStatus.REFUNDED
    assert (await till.payment(second)).status is PaymentStatus.COMPLETED
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


# --- too much, and in another currency


@pytest.mark.parametrize("amount", [1351, 135_000])
async def test_what_is_paid_too_much_goes_back_and_the_rest_confirms(till, amount):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, amount=amount))
    assert till.told() == ["booking.confirmed", "payment.refund-requested", "payment.completed"]
    assert await till.charges() == [("applied", amount, amount - 1350)]
    assert await till.ledger(booking) == {"clearing": amount, "sales": -1350, "refunds-due": 1350 - amount}
    await till.make_refunds()
    [order] = till.bank.refunds
    assert (order.amount, order.reason) == (Money(amount - 1350, "EUR"), "surplus")
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert (await till.booking(booking)).status is CONFIRMED


async def test_another_currency_is_recorded_and_given_back_and_confirms_nothing(till):
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment, currency="USD"))
    assert till.told() == ["payment.refund-requested"]
    assert (await till.booking(booking)).status is PENDING
    assert await till.charges() == [("mismatched", 1350, 1350)]
    failed = await till.payment(payment)
    assert (failed.status, failed.failure) == (PaymentStatus.FAILED, "wrong-amount")
    assert await till.ledger(booking) == {"clearing": 1350, "refunds-due": -1350}
    assert await till.tickets() == 0
    await till.make_refunds()
    assert await till.ledger(booking) == {}
    assert till.bank.refunds[0].amount == Money(1350, "USD")
    assert (await till.booking(booking)).status is PENDING
    await till.deliver(paid(payment, charge="the right one"))
    assert (await till.booking(booking)).status is CONFIRMED


async def test_of_a_payment_for_a_price_that_fell_since_the_difference_goes_back(till, box, database):
    booking, actor, _, payment = await till.paying((0, 1))
    await till.deliver(declined(payment))
    async with database.begin() as work:
        cheaper = await update_passengers(
            work,
            booking.id,
            passengers=[person("A1"), person("A2", passenger_type="child")],
            actor=actor,
            verticals=box.verticals,
            settings=box.settings,
            secrets=box.secrets,
        )
    assert cheaper.total.minor == 1975
    await till.deliver(paid(payment))
    assert await till.charges() == [("applied", 2600, 625)]
    assert (await till.booking(booking)).status is CONFIRMED


# --- not wanted


async def test_money_for_a_booking_that_its_owner_cancelled_goes_back(till, database):
    booking, actor, show, payment = await till.paying()
    async with database.begin() as work:
        await cancel_booking(work, booking.id, actor=actor)
    await till.deliver(paid(payment))
    assert await till.charges() == [("unwanted", 1350, 1350)]
    assert (await till.booking(booking)).status is CANCELLED
    assert not await is_sold(database, show)
    await till.make_refunds()
    ended = await till.booking(booking)
    assert (ended.status, ended.reason) == (REFUNDED, CancelReason.CUSTOMER)
    await till.deliver(paid(payment, charge="once more"))
    await till.make_refunds()
    assert await till.charges() == [("unwanted", 1350, 1350)] * 2
    assert await till.ledger(booking) == {}


async def test_money_for_a_payment_that_is_not_ours_is_kept_in_the_inbox(till, database):
    _, _, _, payment = await till.paying()
    await till.deliver(paid(payment, payment=new_id()))
    assert await till.inbox() == ["unknown-payment"]
    assert await till.charges() == []
    assert b"charge.succeeded" in await scalar(database, "SELECT body FROM payment_event")


async def by_the_banks_id(till, payment):
    """A message in the inbox that names the payment by the bank's id only."""
    event = ProviderEvent(
        external_id="evt_early",
        kind="paid",
        payment_external_id=f"sandbox_{payment.id}",
        charge_id="ch_early",
        amount_minor=payment.amount.minor,
        currency=payment.amount.currency,
    )
    async with till.database.begin() as work:
        inbox_id = await write_down(work, "sandbox", event, b"{}")
    assert inbox_id
    assert not await try_to_handle(till.database, inbox_id, signer=till.box.secrets)
    assert await till.inbox() == [None]
    async with till.database.begin() as work:
        await work.execute("UPDATE payment_event SET next_attempt_at = now()")


async def test_money_that_is_told_before_the_banks_id_is_noted_counts_once_it_is(till, database):
    booking, _, _, payment = await till.paying()
    async with database.begin() as work, unguarded(work, "payment"):
        await work.execute("UPDATE payment SET external_id = NULL, status = 'pending'")
    await by_the_banks_id(till, payment)
    async with database.begin() as work:
        await work.execute("UPDATE payment SET external_id = %s, status = 'processing'", (f"sandbox_{payment.id}",))
    assert await handle_waiting(database, signer=till.box.secrets) == 1
    assert await till.inbox() == ["applied"]
    assert (await till.booking(booking)).status is CONFIRMED


async def test_a_bank_id_that_nobody_notes_within_the_hour_is_not_ours(till, database):
    _, _, _, payment = await till.paying()
    async with database.begin() as work:
        await work.execute("UPDATE payment SET external_id = NULL")
    await by_the_banks_id(till, payment)
    async with database.begin() as work:
        await work.execute("UPDATE payment_event SET received_at = received_at - interval '61 minutes'")
    assert await handle_waiting(database, signer=till.box.secrets) == 1
    assert await till.inbox() == ["unknown-payment"]


# --- when something breaks


@pytest.mark.parametrize("step", ["confirm_booking", "issue_tickets"])
async def test_a_settlement_that_breaks_leaves_nothing_but_the_message_and_is_done_later(
    till, database, monkeypatch, step
):
    booking, _, show, payment = await till.paying()

    def broken(*args, **named):
        raise ConnectionError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(settlement, step, broken)
        await till.deliver(paid(payment))  # does not raise: the message is safe
    assert (await till.booking(booking)).status is PROCESSING
    assert await till.charges() == []
    assert await till.ledger(booking) == {}
    assert await till.tickets() == 0
    assert not await is_sold(database, show)
    assert till.told() == []
    assert await till.inbox() == [None]
    assert await scalar(database, "SELECT last_error FROM payment_event") == "ConnectionError: the disk is full"

    assert await handle_waiting(database, signer=till.box.secrets) == 0  # not yet: the next attempt is put off
    async with database.begin() as work:
        await work.execute("UPDATE payment_event SET next_attempt_at = now()")
    assert await handle_waiting(database, signer=till.box.secrets) == 1
    assert (await till.booking(booking)).status is CONFIRMED
    assert await till.tickets() == 1
    assert till.told() == ["booking.confirmed", "payment.completed"]
    assert await handle_waiting(database, signer=till.box.secrets) == 0


async def test_attempts_are_put_off_longer_and_longer_up_to_an_hour(till, database, monkeypatch):
    _, _, _, payment = await till.paying()

    async def broken(*args, **named):
        raise RuntimeError

    monkeypatch.setattr(settlement, "confirm_booking", broken)
    before = datetime.now(UTC)
    await till.deliver(paid(payment))
    inbox_id = await scalar(database, "SELECT id FROM payment_event")
    for seconds in (30, 60, 120, 240, 480, 960, 1920, 3600, 3600):
        tried_at = await scalar(database, "SELECT next_attempt_at FROM payment_event") - timedelta(seconds=seconds)
        assert before <= tried_at <= datetime.now(UTC)
        before = datetime.now(UTC)
        assert not await try_to_handle(database, inbox_id, signer=till.box.secrets)


async def test_a_process_that_died_between_receiving_and_handling_leaves_it_to_the_next(till, database):
    booking, actor, _, payment = await till.paying()
    message = paid(payment)
    body = msgspec.json.encode(message)
    event = await till.bank.parse_webhook(till.bank.sign(body), body)
    async with database.begin() as work:
        await write_down(work, "sandbox", event, body)
    # here it died; the traveller comes back from the provider before the job has noticed
    async with database.begin() as work:
        confirmed = await confirm_paid(work, booking.id, actor=actor, signer=till.box.secrets)
    assert confirmed.status is CONFIRMED
    assert await till.tickets() == 1
    await till.deliver(message)  # the provider sends it again, too
    assert await till.charges() == [("applied", 1350, 0)]


async def test_confirming_needs_a_payment_and_again_changes_nothing(till, database):
    booking, actor, _, payment = await till.paying()
    async with database.begin() as work:
        with pytest.raises(PaymentRequired):
            await confirm_paid(work, booking.id, actor=actor, signer=till.box.secrets)
    await till.deliver(paid(payment))
    till.told()
    for _ in range(2):
        async with database.begin() as work:
            confirmed = await confirm_paid(work, booking.id, actor=actor, signer=till.box.secrets)
        assert confirmed.status is CONFIRMED
    assert till.told() == []


async def test_a_seat_that_was_paid_for_is_nobody_elses(till, box):
    _, _, show, payment = await till.paying()
    await till.deliver(paid(payment))
    with pytest.raises(UnitsTaken):
        await box.hold(await box.guest(), show, [0])


async def test_the_booking_that_completed_gives_a_second_payment_back(till, database):
    booking, _, _, payment = await till.paying(begins_in=-7300)
    await till.deliver(paid(payment))
    async with database.begin() as work:
        assert await complete_bookings(work) == 1
    await till.deliver(paid(payment, charge="another"))
    await till.make_refunds()
    assert (await till.booking(booking)).status is BookingStatus.COMPLETED
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
