"""Asking providers what their messages did not tell.

A payment is looked at some time after it began, then less and less often, until a day after nobody can pay it any
more; one that was paid, once more after a day. What the provider says goes through the inbox, as if it had sent it:
what came before changes nothing. A checkout that is not wanted any more, since another way of paying was chosen or the
booking is over, is closed first. A payment of which a refund is on its way is looked at until that has ended.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
import structlog
from sqlalchemy import ColumnElement, exists, func, select, true, update

from farebox.accounts import SYSTEM
from farebox.bookings import get_booking, get_change
from farebox.core.db import Database, UnitOfWork
from farebox.core.money import Money
from farebox.payments.errors import ProviderUnavailable
from farebox.payments.inbox import try_to_handle, write_down
from farebox.payments.models import PaymentRow, RefundRow
from farebox.payments.providers import Providers, RunningPayment
from farebox.payments.starting import RUNNING
from farebox.payments.states import FIRST_CHECK, LAST_LOOK, PaymentStatus, move
from farebox.ticketing import Signer

log = structlog.get_logger(__name__)

LONGEST_PAUSE: Final = timedelta(hours=6)
SHORTEST_PAUSE: Final = timedelta(seconds=5)
"""How often travellers who wait can have the provider asked."""

PATIENCE_SECONDS: Final = 4.0
"""How long travellers who come back from paying wait for the provider's answer."""

SUPERSEDED: Final = "superseded"
BOOKING_OVER: Final = "booking-over"
"""What became of a payment that nobody can make any more, in the place of the provider's word for a failure."""


@dataclass(frozen=True, slots=True)
class _Check:
    """One question to a provider, and whether the checkout is to be closed before."""

    provider: str
    payment: RunningPayment
    is_wanted: bool


async def check_payment(
    database: Database, payment_id: UUID, *, providers: Providers, signer: Signer, timeout_seconds: float | None = None
) -> None:
    """Ask a provider now what became of a payment, for who waits for the answer; at most every few seconds.

    Args:
        timeout_seconds: how long the asker can wait. What comes later is told by a message or the next check.

    Raises:
        ProviderUnavailable: it did not answer (in time): nothing new is known.
    """
    try:
        async with asyncio.timeout(timeout_seconds):
            await ask_about(database, payment_id, providers=providers, signer=signer, is_forced=True)
    except TimeoutError as error:
        raise ProviderUnavailable from error


async def look_after(database: Database, payment_id: UUID, *, providers: Providers, signer: Signer) -> None:
    """Find out what became of a payment, for somebody who has come back from paying and should not wait long.

    Says nothing where the provider does not answer: then it is not known, and no reason to say that it failed.
    """
    try:
        await check_payment(database, payment_id, providers=providers, signer=signer, timeout_seconds=PATIENCE_SECONDS)
    except ProviderUnavailable:
        log.info("payment-not-known-yet", payment_id=str(payment_id))


async def ask_about(
    database: Database, payment_id: UUID, *, providers: Providers, signer: Signer, is_forced: bool
) -> None:
    """Ask a payment's provider what became of it, unless somebody else just has, and do what the answer means.

    Args:
        is_forced: somebody waits for the answer; else only where the time to look has come, which is put off then.

    Raises:
        ProviderUnavailable: it did not answer.
    """
    async with database.begin() as work:
        check = await _begin(work, payment_id, is_forced=is_forced)
    if check is None or check.provider not in providers:
        return
    provider = providers[check.provider]
    if not check.is_wanted:
        await provider.close(check.payment)
    for event in await provider.fetch(check.payment):
        async with database.begin() as work:
            inbox_id = await write_down(work, check.provider, event, msgspec.json.encode(event))
        if inbox_id is not None:
            await try_to_handle(database, inbox_id, signer=signer)


async def _begin(work: UnitOfWork, payment_id: UUID, *, is_forced: bool) -> _Check | None:
    """Take a payment to be looked at now, unless somebody else has, and say when the next time is."""
    row = await work.session.get(PaymentRow, payment_id)
    if row is None:
        return None
    is_wanted = await _is_wanted(work, row)  # locks the booking, as whoever settles does
    due: ColumnElement[bool] = (
        func.coalesce(PaymentRow.checked_at <= work.now - SHORTEST_PAUSE, true())
        if is_forced
        else PaymentRow.next_check_at <= work.now
    )
    taken = await work.session.scalar(
        update(PaymentRow)
        .where(PaymentRow.id == payment_id, due)
        .values(checked_at=work.now)
        .returning(PaymentRow)
        .execution_options(populate_existing=True)
    )
    if taken is None:
        return None
    if not is_wanted:
        failure = SUPERSEDED if taken.superseded_at is not None else BOOKING_OVER
        await move(work, payment_id, PaymentStatus.FAILED, {"failure": failure})
        await work.session.refresh(taken)
    if not is_forced:
        await _put_off(work, taken)
    if taken.external_id is None:
        return None  # the provider has never heard of it, or its answer was lost with the process
    payment = RunningPayment(
        payment_id=taken.id,
        external_id=taken.external_id,
        amount=Money(taken.amount_minor, taken.currency),
        method=taken.method,
        is_wanted=is_wanted,
    )
    return _Check(taken.provider, payment, is_wanted)


async def _is_wanted(work: UnitOfWork, row: PaymentRow) -> bool:
    """Whether it may be paid, or was: a checkout that was superseded, or whose booking is over, may not.

    Neither may one where the payer was declined: pages let people try again.
    """
    if row.booking_id is not None:
        booking = await get_booking(work, row.booking_id, actor=SYSTEM, lock=True)
        await work.session.refresh(row)
        is_waiting = booking.is_open
        if row.change_id is not None:
            is_waiting = (await get_change(work, row.change_id)).status == "pending"
    else:
        is_waiting = True
    was_closed = row.status == PaymentStatus.FAILED and row.failure in {SUPERSEDED, BOOKING_OVER}
    may_be_paid = row.status in (*RUNNING, PaymentStatus.FAILED)
    return not was_closed and not (may_be_paid and (row.superseded_at is not None or not is_waiting))


async def _put_off(work: UnitOfWork, row: PaymentRow) -> None:
    """When to look again: twice as long from now as the last time; not at all once nothing can come any more."""
    pause = min(FIRST_CHECK * 2 ** min(row.checks, 10), LONGEST_PAUSE)
    on_its_way = exists().where(
        RefundRow.payment_id == row.id, RefundRow.status == "pending", RefundRow.external_id.is_not(None)
    )
    has_failed = row.status == PaymentStatus.FAILED
    may_come = row.status in RUNNING or (has_failed and work.now + pause < row.updated_at + LAST_LOOK)
    row.checks += 1
    row.next_check_at = work.now + pause if may_come or await work.session.scalar(select(on_its_way)) else None
    await work.session.flush()
