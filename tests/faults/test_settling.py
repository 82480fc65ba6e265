"""Killed between any two steps of a payment and started again: the booking is paid once, the surplus goes back once."""

import asyncio
import signal
from typing import Any

from tests.faults.settling import Order, Process, live_and_die
from tests.forking import forking

from farebox.accounts import SYSTEM
from farebox.bookings import BookingStatus, get_booking
from farebox.payments import verify_ledger

MOST_STEPS = 60
"""Far more than there are; the test ends with the first process that was not killed."""


async def facts(database, booking_id):
    """What became of a booking: its charges, tickets, refunds and messages, each counted."""
    async with database.begin() as work:
        booking = await get_booking(work, booking_id, actor=SYSTEM)
        found: dict[str, Any] = {"status": booking.status.value}
        for name, query in QUERIES.items():
            cursor = await work.execute(query, (booking_id,))
            found[name] = [tuple(row) for row in await cursor.fetchall()]
    return found


PAID = "JOIN payment ON payment.id = {}.payment_id WHERE booking_id = %s"
QUERIES = {
    "charges": "SELECT disposition, payment_charge.amount_minor, refunded_minor FROM payment_charge"
    f" {PAID.format('payment_charge')} ORDER BY 1",
    "refunds": "SELECT status, count(*), count(DISTINCT external_id) FROM refund WHERE booking_id = %s GROUP BY 1",
    "tickets": "SELECT status, count(*) FROM ticket WHERE booking_id = %s GROUP BY 1",
    "mails": "SELECT kind, status, count(*) FROM message WHERE booking_id = %s GROUP BY 1, 2 ORDER BY 1",
    "ledger": "SELECT split_part(account, ':', 1), sum(amount_minor) FROM ledger_entry WHERE booking_id = %s"
    " GROUP BY 1 HAVING sum(amount_minor) <> 0 ORDER BY 1",
    "payments": "SELECT status, count(*) FROM payment WHERE booking_id = %s GROUP BY 1",
}

SETTLED = {
    "status": BookingStatus.CONFIRMED.value,
    "charges": [("applied", 1350, 0), ("duplicate", 1350, 1350)],
    "refunds": [("completed", 1, 1)],
    "tickets": [("issued", 1)],
    "mails": [("booking-confirmed", "sent", 1), ("receipt", "sent", 1), ("refund", "sent", 1)],
    "ledger": [("clearing", 1350), ("sales", -1350)],
    "payments": [("completed", 1)],
}


async def test_a_payment_ends_well_wherever_its_process_is_killed(box, database, mail, server_url, tmp_path):
    """A mail is sent again only by who died between the server's yes and writing it down, and a mailbox can tell."""
    was_killed, step, sent_again = True, 0, 0
    while was_killed:
        step += 1
        assert step < MOST_STEPS
        booking, _, _ = await box.booked()
        order = Order(server_url, tmp_path, booking.id, step, mail.url)
        process = forking.Process(target=live_and_die, args=(order,))
        process.start()
        await asyncio.to_thread(process.join, 60)
        was_killed = process.exitcode == -signal.SIGKILL
        assert was_killed or process.exitcode == 0
        survivor = Process(order, lambda: None)
        await survivor.catch_up()
        await survivor.pay(booking.id)  # the traveller tries again, if it is not paid
        await survivor.work()
        assert await facts(database, booking.id) == SETTLED, f"killed before step {step}"
        await survivor.dispose()
        assert len(set(mail.taken)) == 3, f"killed before step {step}"
        sent_again += len(mail.taken) - 3
        mail.taken.clear()
    assert sent_again == 3
    assert step > 15  # control: it was killed at many
    assert [str(verdict) for verdict in verify_ledger(database.dsn) if verdict.broken] == []
