"""Giving promised money back: a provider is asked by a job, and what became of it is written down after.

Money that goes into a wallet is there at once. A provider may also say that it is on its way; then its message, or
asking what became of the payment, tells the end.
"""

from datetime import timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from farebox.accounts import SYSTEM
from farebox.bookings import get_booking, mark_refunded
from farebox.core.db import Database, UnitOfWork
from farebox.core.money import Money
from farebox.payments import ledger, wallet
from farebox.payments.errors import ProviderUnavailable, RefundRefused, RefundTooLarge
from farebox.payments.events import PaymentRefunded, PaymentRefundFailed
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.providers import ProviderEvent, Providers, RefundOrder
from farebox.payments.refunds import PERSON, request_refund
from farebox.payments.states import Disposition, PaymentStatus, check_soon, move

LONGEST_ERROR: Final = 500
BY_PROVIDER: Final = "provider"
"""Why money went back that was given back with the provider, past us."""

TILL: Final = "cash"
"""The account that money comes out of which somebody pays back by hand."""

UNKNOWN_REFUND: Final = "unknown-refund"
NOTHING: Final = "nothing"


async def make_refund(database: Database, refund_id: UUID, *, providers: Providers) -> bool:
    """Give promised money back: into a wallet at once, else by asking the provider. Whether it has gone now.

    May run twice, even at once: the provider knows the refund by its id, and the row is completed once. A refund that
    the provider refuses is written down as failed; that is no error of the job's.

    Raises:
        ProviderUnavailable: not now; to be tried again.
    """
    async with database.begin() as work:
        order, provider = await _read_order(work, refund_id)
        if order is None:
            return False
        if provider == wallet.PROVIDER:
            return await complete_refund(work, refund_id)
    try:
        if provider not in providers:
            raise ProviderUnavailable
        answer = await providers[provider].refund(order)
    except ProviderUnavailable as error:
        async with database.begin() as work:
            await _note_trouble(work, refund_id, str(error.__cause__ or error))
        raise
    except RefundRefused as error:
        async with database.begin() as work:
            await fail_refund(work, refund_id, str(error.__cause__ or error))
        return False
    async with database.begin() as work:
        if answer.is_final:
            return await complete_refund(work, refund_id, answer.external_id)
        await _note_asked(work, refund_id, answer.external_id)
        return False


async def settle_refund(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> str:
    """Do what a provider's message about a refund means; the booking is locked. One that we did not ask for counts too.

    Returns:
        `refunded`, `refund-failed`, `unknown-refund`, or `nothing`.
    """
    refund_id = await _find_refund(work, payment, event)
    if event.kind == "refund-failed":
        failed = refund_id is not None and await fail_refund(work, refund_id, event.failure)
        return event.kind if failed else NOTHING
    if refund_id is None:
        refund_id = await _adopt(work, payment, event)
    if refund_id is None:
        return UNKNOWN_REFUND
    return event.kind if await complete_refund(work, refund_id, event.refund_external_id) else NOTHING


async def complete_refund(work: UnitOfWork, refund_id: UUID, external_id: str = "") -> bool:
    """Promised money has gone. Whether that is new."""
    await _lock_booking(work, refund_id)
    refund = await work.session.scalar(
        update(RefundRow)
        .where(RefundRow.id == refund_id, RefundRow.status.in_(["pending", "failed"]))
        .values(
            status="completed",
            external_id=external_id or RefundRow.external_id,
            attempts=RefundRow.attempts + 1,
            last_error=None,
            updated_at=work.now,
            completed_at=work.now,
        )
        .returning(RefundRow)
        .execution_options(populate_existing=True)
    )
    if refund is None:
        return False
    amount = Money(refund.amount_minor, refund.currency)
    payment = await work.session.get_one(PaymentRow, refund.payment_id)
    charge = await work.session.get_one(ChargeRow, refund.charge_id)
    await _enter(work, refund, payment, amount)
    await work.session.flush()
    if not any((await _left_over(work, PaymentRow.id == payment.id)).values()):
        await move(work, payment.id, PaymentStatus.REFUNDED)
    elif charge.disposition == Disposition.APPLIED:
        await move(work, payment.id, PaymentStatus.PARTIALLY_REFUNDED)
    work.publish(
        PaymentRefunded(
            refund_id=refund.id,
            payment_id=payment.id,
            booking_id=refund.booking_id,
            amount=str(amount.amount),
            currency=amount.currency,
            reason=refund.reason,
        )
    )
    await end_if_settled(work, refund.booking_id)
    return True


async def end_if_settled(work: UnitOfWork, booking_id: UUID | None) -> None:
    """A cancelled booking of whose money nothing is left but what is kept of its price is refunded."""
    if booking_id is None:
        return
    booking = await get_booking(work, booking_id, actor=SYSTEM, as_it_stands=True)
    left = await _left_over(work, PaymentRow.booking_id == booking_id)
    owed = {booking.total.currency: booking.total.minor if booking.confirmed_at else 0}
    if all(minor == owed.get(currency, 0) for currency, minor in left.items()):
        await mark_refunded(work, booking_id, actor=SYSTEM)


async def fail_refund(work: UnitOfWork, refund_id: UUID, error: str) -> bool:
    """The provider will not give this money back, or could not after all: it is still owed. Whether that is new.

    Of what has gone another way meanwhile, out of the till or into a wallet, its provider knows nothing.
    """
    await _lock_booking(work, refund_id)
    refund = await work.session.get_one(RefundRow, refund_id, with_for_update=True, populate_existing=True)
    if refund.status not in {"pending", "completed"} or refund.destination != "origin":
        return False
    amount = Money(refund.amount_minor, refund.currency)
    if refund.status == "completed":
        payment = await work.session.get_one(PaymentRow, refund.payment_id)
        await _enter(work, refund, payment, Money(-amount.minor, amount.currency))
    refund.status, refund.completed_at = "failed", None
    refund.last_error, refund.updated_at = error[:LONGEST_ERROR], work.now
    refund.attempts += 1
    work.publish(
        PaymentRefundFailed(
            refund_id=refund.id,
            payment_id=refund.payment_id,
            booking_id=refund.booking_id,
            amount=str(amount.amount),
            currency=amount.currency,
        )
    )
    return True


async def list_unmade_refunds(work: UnitOfWork, *, older_than_seconds: int) -> list[UUID]:
    """Refunds that nobody was asked for yet and should have been by now, the oldest first."""
    due = work.now - timedelta(seconds=older_than_seconds)
    rows = await work.session.scalars(
        select(RefundRow.id)
        .where(RefundRow.status == "pending", RefundRow.external_id.is_(None), RefundRow.updated_at <= due)
        .order_by(RefundRow.created_at)
        .limit(100)
    )
    return list(rows)


async def _read_order(work: UnitOfWork, refund_id: UUID) -> tuple[RefundOrder | None, str]:
    """What is to be asked for, and of whom: of a provider, or of nobody where it goes into a wallet."""
    found = await work.session.execute(
        select(RefundRow, ChargeRow, PaymentRow)
        .join(ChargeRow, ChargeRow.id == RefundRow.charge_id)
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .where(RefundRow.id == refund_id, RefundRow.status == "pending", RefundRow.external_id.is_(None))
    )
    row = found.one_or_none()
    if row is None:
        return None, ""
    refund, charge, payment = row
    order = RefundOrder(
        refund_id=refund.id,
        payment_external_id=payment.external_id or "",
        charge_external_id=charge.external_id,
        amount=Money(refund.amount_minor, refund.currency),
        reason=refund.reason,
    )
    return order, wallet.PROVIDER if refund.destination == "wallet" else payment.provider


async def _lock_booking(work: UnitOfWork, refund_id: UUID) -> None:
    booking_id = await work.session.scalar(select(RefundRow.booking_id).where(RefundRow.id == refund_id))
    if booking_id is not None:
        await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)


async def _enter(work: UnitOfWork, refund: RefundRow, payment: PaymentRow, amount: Money) -> None:
    """Into the ledger, and into the wallet where it goes there. A negative amount came back to us."""
    if refund.destination == "wallet" or payment.provider == wallet.PROVIDER:
        wallet_id = await _wallet_of(work, refund, payment)
        await wallet.refund_into(work, wallet_id, amount, booking_id=refund.booking_id, payment_id=payment.id)
    else:
        account = ledger.clearing(TILL if refund.destination == "hand" else payment.provider)
        ledger.note_refund(work, amount, destination=account, booking_id=refund.booking_id, payment_id=payment.id)


async def _wallet_of(work: UnitOfWork, refund: RefundRow, payment: PaymentRow) -> UUID:
    if payment.wallet_id is not None:
        return payment.wallet_id
    assert refund.booking_id is not None  # a wallet's own money goes back the way it came
    booking = await get_booking(work, refund.booking_id, actor=SYSTEM, as_it_stands=True)
    return await wallet.open_wallet(work, UUID(booking.owner.removeprefix(PERSON)), refund.currency)


async def _note_trouble(work: UnitOfWork, refund_id: UUID, error: str) -> None:
    await work.session.execute(
        update(RefundRow)
        .where(RefundRow.id == refund_id)
        .values(attempts=RefundRow.attempts + 1, last_error=error[:LONGEST_ERROR], updated_at=work.now)
    )


async def _note_asked(work: UnitOfWork, refund_id: UUID, external_id: str) -> None:
    """It is on its way: if no message tells the end, asking what became of the payment will."""
    payment_id = await work.session.scalar(
        update(RefundRow)
        .where(RefundRow.id == refund_id, RefundRow.status == "pending")
        .values(external_id=external_id, attempts=RefundRow.attempts + 1, last_error=None, updated_at=work.now)
        .returning(RefundRow.payment_id)
        .execution_options(synchronize_session=False)
    )
    if payment_id is not None:
        await check_soon(work, payment_id)


async def _find_refund(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> UUID | None:
    """The refund that a message is about: by our id, by the provider's, or as the one of that charge and amount whose
    answer has not come yet."""
    if event.refund_id is not None:
        which: ColumnElement[bool] = RefundRow.id == event.refund_id
    else:
        unanswered = (
            RefundRow.external_id.is_(None)
            & (RefundRow.status == "pending")
            & (RefundRow.destination == "origin")
            & (RefundRow.amount_minor == event.amount_minor)
            & (ChargeRow.external_id == event.charge_id)
        )
        which = (RefundRow.external_id == event.refund_external_id) | unanswered
    return await work.session.scalar(
        select(RefundRow.id)
        .join(ChargeRow, ChargeRow.id == RefundRow.charge_id)
        .where(RefundRow.payment_id == payment.id, which)
        .order_by(RefundRow.external_id.is_(None), RefundRow.created_at)
        .limit(1)
    )


async def _adopt(work: UnitOfWork, payment: PaymentRow, event: ProviderEvent) -> UUID | None:
    """A refund that somebody made with the provider itself, as a promise of ours; `None` where nothing of it fits."""
    charge = await work.session.scalar(
        select(ChargeRow).where(
            ChargeRow.payment_id == payment.id,
            ChargeRow.external_id == event.charge_id,
            ChargeRow.disposition.in_([Disposition.APPLIED, Disposition.KEPT]),
            func.coalesce(ChargeRow.dispute, "won") == "won",
        )
    )
    amount = Money(event.amount_minor, event.currency)
    if charge is None or payment.booking_id is None or not amount:
        return None
    try:
        refund_id = await request_refund(work, charge, amount, booking_id=payment.booking_id, reason=BY_PROVIDER)
    except RefundTooLarge:
        return None
    ledger.note_promise(work, amount, booking_id=payment.booking_id, payment_id=payment.id)
    await work.session.refresh(charge)
    if charge.disposition == Disposition.KEPT and charge.refunded_minor == charge.amount_minor:
        charge.disposition = Disposition.UNWANTED  # nothing is left of it that could wait for the rest
    return refund_id


async def _left_over(work: UnitOfWork, which: ColumnElement[bool]) -> dict[str, int]:
    """Minor units that came in through some payments and have not gone back, by currency."""
    received = (
        select(ChargeRow.currency, ChargeRow.amount_minor.label("minor"))
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(which)
    )
    returned = (
        select(RefundRow.currency, (-RefundRow.amount_minor).label("minor"))
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .where(which, RefundRow.status == "completed")
    )
    moved = received.union_all(returned).subquery()
    rows = await work.session.execute(select(moved.c.currency, func.sum(moved.c.minor)).group_by(moved.c.currency))
    return {currency: int(minor) for currency, minor in rows}
