"""Many at once, each with its own connection. Beside each race a control that shows the harm without the guard."""

import asyncio
from collections import Counter
from contextlib import suppress
from dataclasses import replace

import msgspec
import pytest
from sqlalchemy import update
from tests.bookings.shows import run_out, scalar
from tests.payments.till import declined, paid
from tests.waiting import until_somebody_waits

from farebox.accounts import SYSTEM
from farebox.bookings import (
    BookingStatus,
    CancelReason,
    IllegalTransition,
    NotCancellable,
    cancel_booking,
    expire_bookings,
    get_booking,
    list_audit,
)
from farebox.bookings.models import BookingRow
from farebox.bookings.queries import get_row
from farebox.bookings.repricing import write_revision
from farebox.bookings.states import move, record
from farebox.core.db import Database
from farebox.core.money import Money
from farebox.inventory import UnitsTaken, claims_on, release, sweep
from farebox.payments import (
    PaymentRequired,
    RefundTooLarge,
    check_payment,
    confirm_paid,
    inbox,
    refund_payment,
    settlement,
)
from farebox.payments import cancel_booking as give_up
from farebox.payments.inbox import write_down

CONFIRMED, CANCELLED, PENDING = BookingStatus.CONFIRMED, BookingStatus.CANCELLED, BookingStatus.PENDING
PROCESSING = BookingStatus.PAYMENT_PROCESSING
MANY = 8


@pytest.fixture
async def wide(till):
    """The till on a database with a connection for everybody."""
    narrow = till.box.database
    till.box.database = Database(narrow.url, pool_size=2 * MANY)
    till.watch(till.box.database)
    yield till
    await till.box.database.dispose()


async def units_sold(till, show):
    async with till.database.begin() as work:
        return sorted(claim.unit for claim in await claims_on(work, show.inventory_id, 0, 1) if not claim.expires_at)


# --- the same money, many times


async def test_one_message_delivered_by_many_at_once_counts_once(wide):
    booking, _, show, payment = await wide.paying()
    message = paid(payment)
    await asyncio.gather(*(wide.deliver(message) for _ in range(MANY)))
    assert await wide.inbox() == ["applied"]
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert Counter(wide.told()) == {"booking.confirmed": 1, "payment.completed": 1}
    assert await wide.tickets() == 1
    assert await units_sold(wide, show) == [0]


async def test_many_messages_about_one_charge_at_once_count_once(wide):
    booking, actor, _, payment = await wide.paying()

    async def come_back():
        async with wide.database.begin() as work:
            await confirm_paid(work, booking.id, actor=actor, signer=wide.box.secrets)

    answers = await asyncio.gather(
        *(wide.deliver(paid(payment)) for _ in range(MANY)),
        *(come_back() for _ in range(3)),
        return_exceptions=True,
    )
    assert [answer for answer in answers[:MANY] if answer is not None] == []
    assert Counter(await wide.inbox()) == {"applied": 1, "known-charge": MANY - 1}
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert Counter(wide.told()) == {"booking.confirmed": 1, "payment.completed": 1}
    assert await wide.tickets() == 1
    assert (await wide.steps(booking)).count("paid") == 1


async def test_coming_back_waits_for_messages_that_somebody_handles_and_does_not_keep_the_booking_meanwhile(wide):
    """Handling locks a message, then the booking. The return page, which handles all of them, must not block it."""
    booking, actor, _, payment = await wide.paying()
    for message in (declined(payment), paid(payment)):
        body = msgspec.json.encode(message)
        event = await wide.bank.parse_webhook(wide.bank.sign(body), body)
        async with wide.database.begin() as work:
            second = await write_down(work, "sandbox", event, body)

    async def come_back():
        async with wide.database.begin() as work:
            return await confirm_paid(work, booking.id, actor=actor, signer=wide.box.secrets)

    async with wide.database.begin() as handler:
        await handler.execute("SET LOCAL lock_timeout = '200ms'")
        await handler.execute("SELECT 1 FROM payment_event WHERE id = %s FOR UPDATE", (second,))
        coming = asyncio.create_task(come_back())
        await until_somebody_waits(wide.database)
        await get_booking(handler, booking.id, actor=SYSTEM, lock=True, as_it_stands=True)
    assert (await coming).status is CONFIRMED


async def test_two_who_come_back_to_what_is_paid_already_sell_it_once(wide):
    booking, actor, _, payment = await wide.paying()
    await wide.deliver(paid(payment, amount=1000))
    async with wide.database.begin() as work:  # its price fell since
        await write_revision(
            work, await get_row(work, booking.id), [replace(booking.lines[0], amount=Money(1000, "EUR"))]
        )

    async def come_back():
        async with wide.database.begin() as work:
            return await confirm_paid(work, booking.id, actor=actor, signer=wide.box.secrets)

    async with wide.database.begin() as first:
        await confirm_paid(first, booking.id, actor=actor, signer=wide.box.secrets)
        coming = asyncio.create_task(come_back())
        await until_somebody_waits(wide.database)
    assert (await coming).status is CONFIRMED
    assert await wide.ledger(booking) == {"clearing": 1000, "sales": -1000}


async def test_many_charges_for_one_booking_at_once_are_one_that_counts_and_others_that_go_back(wide):
    booking, _, _, payment = await wide.paying()
    await asyncio.gather(*(wide.deliver(paid(payment, charge=f"ch_{number}")) for number in range(MANY)))
    assert Counter(await wide.inbox()) == {"applied": 1, "duplicate": MANY - 1}
    assert await wide.ledger(booking) == {
        "clearing": MANY * 1350,
        "sales": -1350,
        "refunds-due": -(MANY - 1) * 1350,
    }
    assert await wide.make_refunds() == MANY - 1
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert (await wide.booking(booking)).status is CONFIRMED


async def test_two_messages_a_return_and_a_question_at_once_settle_one_payment_once(wide):
    booking, actor, _, payment = await wide.paying()
    message = paid(payment)
    await wide.bank.do(message)

    async def come_back():
        async with wide.database.begin() as work:
            with suppress(PaymentRequired):  # nothing was known yet
                await confirm_paid(work, booking.id, actor=actor, signer=wide.box.secrets)

    await asyncio.gather(
        wide.deliver(message),
        wide.deliver(paid(payment)),
        come_back(),
        check_payment(wide.database, payment.id, providers=wide.providers, signer=wide.box.secrets),
    )
    assert (await wide.booking(booking)).status is CONFIRMED
    assert await wide.charges() == [("applied", 1350, 0)]
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert Counter(wide.told()) == {"booking.confirmed": 1, "payment.completed": 1}
    assert await wide.tickets() == 1


async def test_parts_that_come_at_once_add_up_and_what_is_too_much_goes_back(wide):
    booking, _, _, payment = await wide.paying()
    parts = [wide.deliver(paid(payment, charge=f"part {number}", amount=400)) for number in range(MANY)]
    await asyncio.gather(*parts)
    assert (await wide.booking(booking)).status is CONFIRMED
    charges = await wide.charges()
    assert Counter(disposition for disposition, _, _ in charges) == {"applied": 4, "duplicate": 4}
    assert sum(promised for _, _, promised in charges) == MANY * 400 - 1350
    assert await wide.ledger(booking) == {"clearing": 3200, "sales": -1350, "refunds-due": -1850}
    assert await wide.tickets() == 1


async def test_a_cancellation_that_meets_a_second_charge_gives_all_of_it_back(wide):
    booking, _, _, payment = await wide.paying()
    await wide.deliver(paid(payment))

    async def cancel():
        async with wide.database.begin() as work:
            await give_up(work, booking.id, actor=SYSTEM, reason=CancelReason.OPERATOR)

    await asyncio.gather(cancel(), wide.deliver(paid(payment, charge="another")))
    assert await wide.make_refunds() == 2
    assert (await wide.booking(booking)).status is BookingStatus.REFUNDED
    assert sum(order.amount.minor for order in wide.bank.refunds) == 2700
    assert await wide.ledger(booking) == {}


async def test_refunds_by_many_at_once_are_together_no_more_than_was_paid(wide):
    booking, _, _, payment = await wide.paying()
    await wide.deliver(paid(payment))

    async def refund():
        async with wide.database.begin() as work:
            await refund_payment(work, payment.id, Money(400, "EUR"), note="A broken seat", actor=SYSTEM)

    results = await asyncio.gather(*(refund() for _ in range(MANY)), return_exceptions=True)
    assert Counter(type(result) for result in results) == {type(None): 3, RefundTooLarge: MANY - 3}
    assert (await wide.booking(booking)).total == Money(150, "EUR")
    await wide.make_refunds()
    assert await wide.ledger(booking) == {"clearing": 150, "sales": -150}


async def test_control_of_settlements_that_look_before_they_lock_one_fails_and_has_to_come_again(wide, monkeypatch):
    """Two settlements see an unpaid booking and sell it. The guard in the UPDATE stops the second, whose message is
    put off; with the lock at the beginning, it is known at once for what it is."""
    booking, _, _, payment = await wide.paying()
    both_have_looked = asyncio.Barrier(2)

    async def look(work, booking_id, *, actor, lock, with_holds, as_it_stands):
        seen = await get_booking(work, booking_id, actor=actor, as_it_stands=as_it_stands)
        await both_have_looked.wait()
        return seen

    monkeypatch.setattr(settlement, "get_booking", look)
    monkeypatch.setattr(inbox, "expect_booking", lambda work, booking_id: None)
    await asyncio.gather(*(wide.deliver(paid(payment, charge=f"ch_{number}")) for number in range(2)))
    assert Counter(await wide.inbox()) == {"applied": 1, None: 1}
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}


# --- one arrow, taken once


async def test_of_many_who_believe_the_same_state_one_moves_the_booking(wide):
    booking, _, _, _ = await wide.paying()

    async def confirm():
        async with wide.database.begin() as work:
            await move(
                work,
                booking.id,
                CONFIRMED,
                source=PROCESSING,
                actor=SYSTEM,
                reason="test",
                columns={"expires_at": None},
            )

    results = await asyncio.gather(*(confirm() for _ in range(MANY)), return_exceptions=True)
    assert [type(result) for result in results if result is not None] == [IllegalTransition] * (MANY - 1)
    assert (await wide.steps(booking)).count("test") == 1


async def test_control_without_the_guard_in_the_update_many_do(wide):
    booking, _, _, _ = await wide.paying()
    all_have_looked = asyncio.Barrier(3)

    async def confirm():
        async with wide.database.begin() as work:
            seen = await get_booking(work, booking.id, actor=SYSTEM)
            await all_have_looked.wait()
            assert seen.status is PROCESSING
            await work.session.execute(
                update(BookingRow).where(BookingRow.id == booking.id).values(status=CONFIRMED, expires_at=None)
            )
            record(work, booking.id, actor=SYSTEM, source=PROCESSING, target=CONFIRMED, reason="test")

    await asyncio.gather(*(confirm() for _ in range(3)))
    assert (await wide.steps(booking)).count("test") == 3


# --- money against time


@pytest.mark.parametrize("_", range(6))
async def test_money_racing_the_sweep_ends_confirmed_since_nobody_has_the_seat(wide, _):
    booking, _, show, payment = await wide.paying()
    await run_out(wide.database, booking)

    async def sweep_all():
        async with wide.database.begin() as work:
            await sweep(work)
        async with wide.database.begin() as work:
            await expire_bookings(work)

    await asyncio.gather(sweep_all(), wide.deliver(paid(payment)), sweep_all())
    assert (await wide.booking(booking)).status is CONFIRMED
    assert await units_sold(wide, show) == [0]
    assert await wide.inbox() == ["applied"]
    assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}


@pytest.mark.parametrize("_", range(8))
async def test_money_racing_somebody_who_wants_the_seat_has_one_winner(wide, _):
    booking, _, show, payment = await wide.paying()
    rival = await wide.box.guest()
    await run_out(wide.database, booking)

    async def want():
        try:
            return await wide.box.hold(rival, show)
        except UnitsTaken:
            return None

    async def expire():
        async with wide.database.begin() as work:
            await expire_bookings(work)

    _, hold, _ = await asyncio.gather(wide.deliver(paid(payment)), want(), expire())
    await wide.make_refunds()
    now = await wide.booking(booking)
    async with wide.database.begin() as work:
        owners = {claim.owner for claim in await claims_on(work, show.inventory_id, 0, 1)}
    if hold is None:
        assert now.status is CONFIRMED
        assert owners == {f"booking:{booking.id}"}
        assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}
        assert await wide.tickets() == 1
    else:
        assert now.status is BookingStatus.REFUNDED
        assert owners == {rival.owner}
        assert await wide.ledger(booking) == {}
        assert await wide.tickets() == 0


@pytest.mark.parametrize("_", range(6))
async def test_money_racing_the_owner_who_cancels_has_one_winner(wide, _):
    booking, actor, show, payment = await wide.paying()

    async def cancel():
        async with wide.database.begin() as work:
            await cancel_booking(work, booking.id, actor=actor)

    refused = (await asyncio.gather(wide.deliver(paid(payment)), cancel(), return_exceptions=True))[1]
    await wide.make_refunds()
    now = await wide.booking(booking)
    if refused is None:
        assert now.status is BookingStatus.REFUNDED
        assert await units_sold(wide, show) == []
        assert await wide.ledger(booking) == {}
    else:
        assert isinstance(refused, NotCancellable)
        assert now.status is CONFIRMED
        assert await units_sold(wide, show) == [0]
        assert await wide.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_money_racing_a_release_of_the_hold_never_ends_paid_with_nothing(wide):
    """Whoever releases the hold below the booking (an operator's tool, a mistake): the seats are taken again."""
    booking, _, show, payment = await wide.paying((0, 1))

    async def let_go():
        async with wide.database.begin() as work:
            await release(work, booking.items[0].hold_id)

    await asyncio.gather(wide.deliver(paid(payment)), let_go())
    now = await wide.booking(booking)
    sold = await units_sold(wide, show)
    # The release came before: reclaimed. After: it took what was sold, which only crew tools may; then nothing is sold.
    assert now.status is CONFIRMED
    assert sold in ([0, 1], [])
    assert await wide.ledger(booking) == {"clearing": 2600, "sales": -2600}


# --- payments against payments


async def test_begun_by_many_at_once_there_is_one_payment(wide):
    booking, actor, _ = await wide.box.booked()
    payments = await asyncio.gather(*(wide.start(booking, actor) for _ in range(MANY)))
    assert len({payment.id for payment in payments}) == 1
    assert await scalar(wide.database, "SELECT count(*) FROM payment") == 1
    async with wide.database.begin() as work:
        steps = await list_audit(work, booking.id, actor=SYSTEM)
    assert [step.to_status for step in steps] == [PENDING, PROCESSING]


async def test_many_bookings_paid_at_once_are_each_paid_once(wide):
    """Two shows in each, held in opposite orders: whoever settles locks in one order, so nobody waits in a circle."""
    actor = await wide.box.guest()
    first, second = await wide.box.show(seats=MANY), await wide.box.show(seats=MANY)
    payments = []
    for unit in range(MANY):
        shows = (first, second) if unit % 2 else (second, first)
        booking = await wide.box.book(actor, *[await wide.box.hold(actor, show, [unit]) for show in shows])
        payments.append(await wide.start(booking, actor))
    await asyncio.gather(*(wide.deliver(paid(payment)) for payment in payments))
    assert Counter(await wide.inbox()) == {"applied": MANY}
    for show in (first, second):
        assert await units_sold(wide, show) == list(range(MANY))
