"""Money on its way back, and the ledger's own rules."""

import asyncio

import pytest
from procrastinate.testing import InMemoryConnector
from tests.bookings.shows import scalar
from tests.payments.till import paid

from farebox.core.db import Database
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs
from farebox.core.money import Money
from farebox.core.outbox import Outbox
from farebox.payments import REACTIONS, ProviderUnavailable, ledger, make_refund, register_jobs
from farebox.payments.errors import RefundTooLarge
from farebox.payments.models import ChargeRow
from farebox.payments.refunds import request_refund


async def owed(till):
    """A confirmed booking that was paid twice, and the refund that is owed."""
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    await till.deliver(paid(payment, charge="another"))
    return booking, payment, await scalar(till.database, "SELECT id FROM refund")


async def test_a_refund_is_made_once_however_often_its_job_runs(till, database):
    booking, _, refund_id = await owed(till)
    assert await make_refund(database, refund_id, providers=till.providers)
    assert not await make_refund(database, refund_id, providers=till.providers)
    assert not await make_refund(database, new_id(), providers=till.providers)
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert len(till.bank.refunds) == 1
    assert await scalar(database, "SELECT external_id FROM refund") == f"sandbox_refund_{refund_id}"


async def test_a_refund_whose_job_runs_in_many_workers_at_once_is_written_down_once(till, database):
    booking, _, refund_id = await owed(till)
    wide = Database(database.url, pool_size=10)
    made = await asyncio.gather(*(make_refund(wide, refund_id, providers=till.providers) for _ in range(8)))
    await wide.dispose()
    assert sum(made) == 1
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}
    assert {order.refund_id for order in till.bank.refunds} == {refund_id}  # one id: the provider refunds once


async def test_a_provider_that_does_not_answer_is_asked_again(till, database):
    booking, _, refund_id = await owed(till)
    till.bank.is_down = True
    with pytest.raises(ProviderUnavailable):
        await make_refund(database, refund_id, providers=till.providers)
    with pytest.raises(ProviderUnavailable):
        await make_refund(database, refund_id, providers={})
    assert await till.make_refunds() == 0
    async with database.begin() as work:
        row = await (await work.execute("SELECT status, attempts, last_error FROM refund")).fetchone()
    assert row == ("pending", 3, "no line")
    assert await till.ledger(booking) == {"clearing": 2700, "sales": -1350, "refunds-due": -1350}
    till.bank.is_down = False
    assert await till.make_refunds() == 1
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


async def test_no_more_is_promised_back_than_came_in(till, database):
    booking, _, _ = await owed(till)
    applied = await scalar(database, "SELECT id FROM payment_charge WHERE disposition = 'applied'")

    async def promise(minor, currency="EUR"):
        async with database.begin() as work:
            charge = await work.session.get_one(ChargeRow, applied)
            return await request_refund(work, charge, Money(minor, currency), booking_id=booking.id, reason="late")

    for minor, currency in ((1351, "EUR"), (1350, "USD")):
        with pytest.raises(RefundTooLarge):
            await promise(minor, currency)
    await promise(1000)
    with pytest.raises(RefundTooLarge):
        await promise(351)
    await promise(350)
    with pytest.raises(RefundTooLarge):
        await promise(1)


async def test_promises_made_at_once_are_together_no_more_than_came_in(till, database):
    booking, _, _ = await owed(till)
    applied = await scalar(database, "SELECT id FROM payment_charge WHERE disposition = 'applied'")
    wide = Database(database.url, pool_size=10)

    async def promise():
        async with wide.begin() as work:
            charge = await work.session.get_one(ChargeRow, applied)
            await request_refund(work, charge, Money(500, "EUR"), booking_id=booking.id, reason="late")

    results = await asyncio.gather(*(promise() for _ in range(6)), return_exceptions=True)
    await wide.dispose()
    assert sum(result is None for result in results) == 2
    assert await scalar(database, "SELECT refunded_minor FROM payment_charge WHERE id = %s", applied) == 1000


async def test_a_payment_partly_refunded_says_so_and_then_wholly(till, database):
    booking, payment, first = await owed(till)
    await make_refund(database, first, providers=till.providers)
    applied = await scalar(database, "SELECT id FROM payment_charge WHERE disposition = 'applied'")
    seen = []
    for minor in (350, 1000):
        async with database.begin() as work:
            charge = await work.session.get_one(ChargeRow, applied)
            refund = await request_refund(work, charge, Money(minor, "EUR"), booking_id=booking.id, reason="goodwill")
        await make_refund(database, refund, providers=till.providers)
        seen.append((await till.payment(payment)).status.value)
    assert seen == ["partially_refunded", "refunded"]


async def test_the_event_brings_the_job_and_the_job_the_refund(till, box, settings):
    jobs = Jobs(box.database.dsn)
    with jobs.app.replace_connector(InMemoryConnector()):
        register_jobs(jobs, box.database, providers=till.providers, signer=box.secrets)
    booking, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    box.database.deliver_events_to(Outbox(jobs, dict(REACTIONS)))
    await till.deliver(paid(payment, charge="another"))
    async with jobs.app.open_async():
        await jobs.run_worker(wait=False)
    assert await scalar(box.database, "SELECT status FROM refund") == "completed"
    assert await till.ledger(booking) == {"clearing": 1350, "sales": -1350}


# --- the ledger


async def entry(work, booking, payment, debit, credit):
    ledger.write(
        work,
        "charge",
        debit={"clearing:x": Money(debit, "EUR")},
        credit={"refunds-due": Money(credit, "EUR")},
        booking_id=booking.id,
        payment_id=payment.id,
    )


async def test_the_database_refuses_a_movement_that_does_not_balance(till, database):
    booking, _, _, payment = await till.paying()
    async with database.begin() as work:  # control
        await entry(work, booking, payment, 100, 100)
    with pytest.raises(Exception, match="does not balance"):
        async with database.begin() as work:
            await entry(work, booking, payment, 100, 99)
    assert await scalar(database, "SELECT count(*) FROM ledger_entry") == 2


@pytest.mark.parametrize("change", ["UPDATE ledger_entry SET amount_minor = 1", "DELETE FROM ledger_entry"])
async def test_the_database_refuses_to_change_the_ledger(till, database, change):
    _, _, _, payment = await till.paying()
    await till.deliver(paid(payment))
    with pytest.raises(Exception, match="append-only"):
        await scalar(database, change + " RETURNING 1")


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE payment SET status = 'paid'",
        "UPDATE payment_charge SET refunded_minor = amount_minor + 1",
        "UPDATE payment_charge SET refunded_minor = -1",
        "UPDATE payment_charge SET disposition = 'lost'",
        "UPDATE payment SET amount_minor = 0",
        "UPDATE refund SET amount_minor = -1",
    ],
)
async def test_the_database_refuses_what_makes_no_sense(till, database, change):
    await owed(till)
    with pytest.raises(Exception, match=r"violates check constraint|does not go from"):
        await scalar(database, change + " RETURNING 1")
