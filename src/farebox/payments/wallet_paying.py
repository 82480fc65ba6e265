"""Paying out of a wallet: here and now, since nobody else is asked. What it cannot cover is paid another way."""

from uuid import UUID

from farebox.accounts import Actor
from farebox.bookings import get_booking
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.settings import Settings
from farebox.payments.errors import WalletTooSmall
from farebox.payments.models import PaymentRow
from farebox.payments.providers import ProviderEvent
from farebox.payments.settlement import settle
from farebox.payments.starting import supersede_others, what_is_due
from farebox.payments.states import PaymentStatus
from farebox.payments.views import PaymentView, payment_view
from farebox.payments.wallet import PROVIDER, find_wallet, take
from farebox.ticketing import Signer


async def pay_from_wallet(
    work: UnitOfWork,
    booking_id: UUID,
    *,
    change_id: UUID | None = None,
    actor: Actor,
    signer: Signer,
    settings: Settings,
) -> PaymentView:
    """Pay what is due of a booking, as far as the money in one's wallet reaches, or all that a change of it costs.

    A part is kept until the rest has come another way; should the booking end first, it goes back into the wallet.

    Raises:
        BookingNotFound, BookingExpired, NotPayable, NothingToPay, ChangeNotFound: see `start_payment`.
        NoWallet: the actor is not a person with an account.
        WalletTooSmall: there is nothing in it that is not held back, less than a change costs, or less than a moment
            before; then the unit of work was rolled back.
    """
    booking = await get_booking(work, booking_id, actor=actor, lock=True)
    wallet = await find_wallet(work, booking.total.currency, actor=actor)
    due = await what_is_due(work, booking, change_id, actor=actor, settings=settings)
    amount = min(wallet.spendable, due.amount) if wallet else Money.zero(due.amount.currency)
    if wallet is None or not amount or (change_id is not None and amount < due.amount):
        raise WalletTooSmall
    row = PaymentRow(
        id=new_id(),
        purpose=due.purpose,
        booking_id=booking_id,
        change_id=change_id,
        wallet_id=wallet.id,
        provider=PROVIDER,
        method=PROVIDER,
        status=PaymentStatus.PROCESSING,
        amount_minor=amount.minor,
        currency=amount.currency,
        created_at=work.now,
        updated_at=work.now,
    )
    work.session.add(row)
    await work.session.flush()
    supersede_others(work, booking_id, change_id=change_id, chosen=row.id)
    paid = ProviderEvent(
        external_id=str(row.id),
        kind="paid",
        payment_id=row.id,
        charge_id=str(row.id),
        amount_minor=amount.minor,
        currency=amount.currency,
    )
    await settle(work, row, paid, signer=signer)
    try:
        await take(work, wallet.id, amount)  # last, since seats are locked before money
    except WalletTooSmall:
        await work.rollback()  # or else who catches this would sell the seats for money that is not there
        raise
    await work.session.refresh(row)
    return payment_view(row)
