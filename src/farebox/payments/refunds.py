"""Money on its way back: asked for in the transaction that finds it is owed, made by a job, written down after."""

from datetime import timedelta
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import ColumnElement, func, select, update

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import get_booking, mark_refunded
from farebox.core.db import Database, UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import ledger
from farebox.payments.errors import NoWallet, ProviderUnavailable, RefundTooLarge
from farebox.payments.events import PaymentRefunded, RefundRequested
from farebox.payments.models import ChargeRow, PaymentRow, RefundRow
from farebox.payments.providers import Providers, RefundOrder
from farebox.payments.states import Disposition, PaymentStatus, move

LONGEST_ERROR = 500


Destination: TypeAlias = Literal["origin", "wallet"]
"""Where money goes back to: the way it came, or into the wallet of the person whose booking it was."""

PERSON = "user:"
"""How the owner of a booking begins who is a person with an account."""


async def give_back(
    work: UnitOfWork, booking_id: UUID, amount: Money, *, to: Destination = "origin", reason: str, actor: Actor
) -> list[UUID]:
    """Promise back a part of what was paid for a booking, or all of it: out of its latest charge first.

    Charges that a payer's bank has taken back, or may take, are left out: nobody is paid twice.

    Args:
        reason: one word of ours; it travels in events, so nothing that somebody typed.

    Returns:
        The refunds, which jobs make; none where the amount is zero.

    Raises:
        BookingNotFound: no such booking.
        RefundTooLarge: more than is left of what was paid for it. Nothing was promised.
        NoWallet: the booking is nobody's who has one.
    """
    booking = await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    if to == "wallet" and not booking.owner.startswith(PERSON):
        raise NoWallet
    charges = await _charges_with_rest(work, booking_id, amount.currency)
    rest = sum(charge.amount_minor - charge.refunded_minor for charge in charges)
    if rest < amount.minor:
        raise RefundTooLarge(left=Money(rest, amount.currency))
    refunds = []
    wanted = amount.minor
    for charge in charges:
        part = Money(min(wanted, charge.amount_minor - charge.refunded_minor), amount.currency)
        if not part:
            break
        refunds.append(
            await request_refund(work, charge, part, booking_id=booking_id, reason=reason, to=to, actor=actor)
        )
        ledger.note_promise(work, part, booking_id=booking_id, payment_id=charge.payment_id)
        wanted -= part.minor
    return refunds


async def _charges_with_rest(work: UnitOfWork, booking_id: UUID, currency: str) -> list[ChargeRow]:
    """The charges that count for a booking and have not gone back wholly, locked, the latest first."""
    rows = await work.session.scalars(
        select(ChargeRow)
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(
            PaymentRow.booking_id == booking_id,
            ChargeRow.disposition == Disposition.APPLIED,
            ChargeRow.currency == currency,
            ChargeRow.refunded_minor < ChargeRow.amount_minor,
            func.coalesce(ChargeRow.dispute, "won") == "won",
        )
        .order_by(ChargeRow.received_at.desc(), ChargeRow.id.desc())
        .with_for_update(of=ChargeRow)
        .execution_options(populate_existing=True)
    )
    return list(rows)


async def request_refund(
    work: UnitOfWork,
    charge: ChargeRow,
    amount: Money,
    *,
    booking_id: UUID,
    reason: str,
    to: Destination = "origin",
    actor: Actor = SYSTEM,
) -> UUID:
    """Promise a part of a charge, or all of it, back. The job that reacts to the event asks the provider.

    The ledger is the caller's: money that never counted is due to go back already.

    Raises:
        RefundTooLarge: the promises together would be more than the charge.
    """
    await work.session.flush()
    promised = await work.session.scalar(
        update(ChargeRow)
        .where(
            ChargeRow.id == charge.id,
            ChargeRow.currency == amount.currency,
            ChargeRow.refunded_minor + amount.minor <= ChargeRow.amount_minor,
        )
        .values(refunded_minor=ChargeRow.refunded_minor + amount.minor)
        .returning(ChargeRow.id)
        .execution_options(synchronize_session=False)
    )
    if promised is None:
        raise RefundTooLarge(left=Money(charge.amount_minor - charge.refunded_minor, charge.currency))
    row = RefundRow(
        id=new_id(),
        booking_id=booking_id,
        payment_id=charge.payment_id,
        charge_id=charge.id,
        destination=to,
        actor=actor.kind if actor.id is None else f"{actor.kind}:{actor.id}",
        amount_minor=amount.minor,
        currency=amount.currency,
        reason=reason,
        status="pending",
        attempts=0,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    work.publish(
        RefundRequested(
            refund_id=row.id,
            payment_id=charge.payment_id,
            booking_id=booking_id,
            amount=str(amount.amount),
            currency=amount.currency,
            reason=reason,
        )
    )
    return row.id


async def make_refund(database: Database, refund_id: UUID, *, providers: Providers) -> bool:
    """Ask the provider for a refund, and write down that it was made. Whether it was made now.

    May run twice, even at once: the provider knows the refund by its id, and the row is completed once.

    Raises:
        ProviderUnavailable: not now; to be tried again.
    """
    async with database.begin() as work:
        order, provider = await _read_order(work, refund_id)
    if order is None:
        return False
    try:
        if provider not in providers:
            raise ProviderUnavailable
        external_id = (await providers[provider].refund(order)).external_id
    except ProviderUnavailable as error:
        async with database.begin() as work:
            await _note_failure(work, refund_id, str(error.__cause__ or error))
        raise
    async with database.begin() as work:
        return await _complete(work, refund_id, external_id)


async def list_unmade_refunds(work: UnitOfWork, *, older_than_seconds: int) -> list[UUID]:
    """Refunds that should have been made by now, the oldest first."""
    due = work.now - timedelta(seconds=older_than_seconds)
    rows = await work.session.scalars(
        select(RefundRow.id)
        .where(RefundRow.status == "pending", RefundRow.updated_at <= due)
        .order_by(RefundRow.created_at)
        .limit(100)
    )
    return list(rows)


async def _read_order(work: UnitOfWork, refund_id: UUID) -> tuple[RefundOrder | None, str]:
    found = await work.session.execute(
        select(RefundRow, ChargeRow, PaymentRow)
        .join(ChargeRow, ChargeRow.id == RefundRow.charge_id)
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .where(RefundRow.id == refund_id, RefundRow.status == "pending")
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
    return order, payment.provider


async def _note_failure(work: UnitOfWork, refund_id: UUID, error: str) -> None:
    await work.session.execute(
        update(RefundRow)
        .where(RefundRow.id == refund_id)
        .values(attempts=RefundRow.attempts + 1, last_error=error[:LONGEST_ERROR], updated_at=work.now)
    )


async def _complete(work: UnitOfWork, refund_id: UUID, external_id: str) -> bool:
    booking_id = await work.session.scalar(select(RefundRow.booking_id).where(RefundRow.id == refund_id))
    assert booking_id is not None
    await get_booking(work, booking_id, actor=SYSTEM, lock=True, as_it_stands=True)
    refund = await work.session.scalar(
        update(RefundRow)
        .where(RefundRow.id == refund_id, RefundRow.status == "pending")
        .values(
            status="completed",
            external_id=external_id,
            attempts=RefundRow.attempts + 1,
            last_error=None,
            updated_at=work.now,
            completed_at=work.now,
        )
        .returning(RefundRow)
    )
    if refund is None:
        return False
    amount = Money(refund.amount_minor, refund.currency)
    payment = await work.session.get_one(PaymentRow, refund.payment_id)
    charge = await work.session.get_one(ChargeRow, refund.charge_id)
    ledger.note_refund(
        work,
        amount,
        destination=ledger.clearing(payment.provider),
        booking_id=booking_id,
        payment_id=payment.id,
    )
    await work.session.flush()
    if await _kept(work, PaymentRow.id == payment.id) == 0:
        await move(work, payment.id, PaymentStatus.REFUNDED)
    elif charge.disposition == Disposition.APPLIED:
        await move(work, payment.id, PaymentStatus.PARTIALLY_REFUNDED)
    work.publish(
        PaymentRefunded(
            refund_id=refund.id,
            payment_id=payment.id,
            booking_id=booking_id,
            amount=str(amount.amount),
            currency=amount.currency,
            reason=refund.reason,
        )
    )
    if await _kept(work, PaymentRow.booking_id == booking_id) == 0:
        await mark_refunded(work, booking_id, actor=SYSTEM)
    return True


async def _kept(work: UnitOfWork, which: ColumnElement[bool]) -> int:
    """Minor units that came in through some payments and have not gone back; zero means none of any currency."""
    received = (
        select(func.coalesce(func.sum(ChargeRow.amount_minor), 0))
        .join(PaymentRow, PaymentRow.id == ChargeRow.payment_id)
        .where(which)
    )
    returned = (
        select(func.coalesce(func.sum(RefundRow.amount_minor), 0))
        .join(PaymentRow, PaymentRow.id == RefundRow.payment_id)
        .where(which, RefundRow.status == "completed")
    )
    return int(await work.session.scalar(select(received.scalar_subquery() - returned.scalar_subquery())) or 0)
