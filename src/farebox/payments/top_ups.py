"""Putting money into one's wallet, through any provider that takes its currency."""

from typing import Final
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import Actor
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, current_language, format_money
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.payments.errors import ProviderUnavailable
from farebox.payments.models import PaymentRow
from farebox.payments.providers import PaymentOrder, Providers
from farebox.payments.queries import find_offer
from farebox.payments.starting import RUNNING, checked_return_url, note_started
from farebox.payments.states import FIRST_CHECK, PaymentStatus, move
from farebox.payments.views import PaymentView, payment_view
from farebox.payments.wallet import open_wallet, person_of

PAGE: Final = "/account/wallet"
"""Where people are sent back to, unless they say where."""


def top_up_number(payment_id: UUID) -> str:
    """Under which the payer finds it with the provider, and on the receipt."""
    return f"WALLET{payment_id.hex[-8:].upper()}"


async def start_top_up(
    database: Database,
    amount: Money,
    *,
    method: str,
    return_url: str = "",
    actor: Actor,
    providers: Providers,
    settings: Settings,
) -> PaymentView:
    """Open a checkout for money into the actor's wallet of that currency.

    Begun again for the same amount with the same method while its outcome is not known, it is the same payment.

    Args:
        database: this command has its own units of work, since it asks the provider between them.

    Raises:
        NoWallet: the actor is not a person with an account.
        UnknownMethod: nobody offers this method for this currency, or its money does not come at once.
        ProviderUnavailable: the provider did not take the order.
        Invalid: the amount is not above zero, or above `max_top_up`, or `return_url` is no address.
    """
    if amount.minor <= 0:
        raise Invalid([FieldError("amount", "too-small", N_("The amount must be more than zero."))])
    most = Money(settings.max_top_up, amount.currency)
    if most < amount:
        message = N_("At most {most} can be put in at a time.")
        raise Invalid([FieldError("amount", "too-large", message, most=format_money(most))])
    provider, _ = find_offer(method, amount.currency, providers)  # at once: staff note transfers for bookings alone
    target = checked_return_url(return_url or PAGE, settings)
    async with database.begin() as work:
        row = await _open(work, amount, method, provider.name, target, actor=actor)
        payment = payment_view(row)
    if payment.status is PaymentStatus.PROCESSING:
        return payment
    order = PaymentOrder(
        payment_id=payment.id,
        reference=top_up_number(payment.id),
        amount=amount,
        method=method,
        return_url=target,
        expires_in_seconds=settings.payment_window_seconds,
        language=current_language(),
    )
    try:
        started = await provider.start(order)
    except ProviderUnavailable:
        async with database.begin() as work:
            await move(work, payment.id, PaymentStatus.FAILED, {"failure": ProviderUnavailable.code})
        raise
    async with database.begin() as work:
        return await note_started(work, payment.id, started)


async def _open(
    work: UnitOfWork, amount: Money, method: str, provider: str, return_url: str, *, actor: Actor
) -> PaymentRow:
    """A new payment, or the one begun before whose outcome is not known."""
    wallet_id = await open_wallet(work, person_of(actor), amount.currency)
    row = await work.session.scalar(
        select(PaymentRow)
        .where(
            PaymentRow.wallet_id == wallet_id,
            PaymentRow.purpose == "top-up",
            PaymentRow.method == method,
            PaymentRow.amount_minor == amount.minor,
            PaymentRow.status.in_(RUNNING),
        )
        .order_by(PaymentRow.created_at.desc())
        .limit(1)
        .with_for_update()
    )
    if row is None:
        row = PaymentRow(
            id=new_id(),
            purpose="top-up",
            wallet_id=wallet_id,
            provider=provider,
            method=method,
            status=PaymentStatus.PENDING,
            amount_minor=amount.minor,
            currency=amount.currency,
            next_check_at=work.now + FIRST_CHECK,
            created_at=work.now,
            updated_at=work.now,
        )
        work.session.add(row)
    row.return_url = return_url
    await work.session.flush()
    return row
