"""The tables of transitions, in the code and in the database: the same, and whoever writes obeys them."""

import re

import psycopg
import pytest
from psycopg.errors import IntegrityConstraintViolation
from tests.bookings.shows import run_out, scalar
from tests.guards import unguarded

from farebox.bookings import TRANSITIONS, BookingStatus, CancelReason, expire_bookings
from farebox.bookings.jobs import EXPIRE, register_jobs, work_off
from farebox.core.jobs import Jobs
from farebox.payments.states import TRANSITIONS as PAYMENT_TRANSITIONS

OPEN = {BookingStatus.PENDING, BookingStatus.PAYMENT_PROCESSING}
OVER = {BookingStatus.CANCELLED, BookingStatus.REFUNDED}
PAIRS = [(source, target) for source in BookingStatus for target in BookingStatus if source is not target]


@pytest.mark.parametrize(
    ("function", "table"),
    [("booking_must_move_on", TRANSITIONS), ("payment_must_move_on", PAYMENT_TRANSITIONS)],
)
async def test_the_database_knows_the_arrows_of_the_code_and_no_others(database, function, table):
    source = await scalar(database, "SELECT prosrc FROM pg_proc WHERE proname = %s", function)
    arrows = re.findall(r"'([a-z_]+) ([a-z_]+)'", source)
    assert len(arrows) == len(set(arrows))
    assert set(arrows) == {(str(start), str(end)) for start, ends in table.items() for end in ends}


@pytest.mark.parametrize("reason", list(CancelReason))
async def test_whoever_writes_the_database_moves_a_booking_along_the_arrows_only(box, database, reason):
    """Also past all commands, by hand. What somebody cancelled never comes back to life."""
    booking, _, _ = await box.booked()
    async with await psycopg.AsyncConnection.connect(database.dsn, autocommit=True) as hand:
        for source, target in PAIRS:
            async with database.begin() as work, unguarded(work, "booking"):
                await work.execute(_PUT, _columns(source, reason) | {"id": booking.id})
            comes_back = (source, target) == (BookingStatus.CANCELLED, BookingStatus.CONFIRMED)
            if target in TRANSITIONS[source] and (not comes_back or reason is CancelReason.EXPIRED):
                await hand.execute(_PUT, _columns(target, reason) | {"id": booking.id})
            else:
                with pytest.raises(IntegrityConstraintViolation, match=f"does not go from {source} to {target}"):
                    await hand.execute(_PUT, _columns(target, reason) | {"id": booking.id})


async def test_the_job_below_the_sweeper_expires_what_is_due_every_five_minutes(box, database):
    due = [(await box.booked())[0] for _ in range(2)]
    alive, _, _ = await box.booked()
    for booking in due:
        await run_out(database, booking)
    assert await work_off(database, expire_bookings) == 2
    assert await scalar(database, "SELECT status FROM booking WHERE id = %s", alive.id) == "pending"
    jobs = Jobs(database.dsn)
    register_jobs(jobs, database)
    crons = {task.task.name: task.cron for task in jobs.app.periodic_registry.periodic_tasks.values()}
    assert crons[EXPIRE] == "*/5 * * * *"


_PUT = "UPDATE booking SET status = %(status)s, reason = %(reason)s, expires_at = %(expires_at)s WHERE id = %(id)s"


def _columns(status, reason):
    """A row that the table's other checks let pass."""
    return {
        "status": status,
        "reason": reason if status in OVER else None,
        "expires_at": "2100-01-01" if status in OPEN else None,
    }
