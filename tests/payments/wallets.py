"""What the tests of wallets share: money in one, as a provider's message brings it."""

from tests.people import Somebody

from farebox.core.db import Database
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments.models import ChargeRow, PaymentRow
from farebox.payments.wallet import open_wallet, settle_top_up


async def fill_wallet(database: Database, person: Somebody, amount: Money, *, received: Money | None = None) -> None:
    """A top-up of `amount`, for which the provider took so much."""
    received = received or amount
    async with database.begin() as work:
        payment = PaymentRow(
            id=new_id(),
            purpose="top-up",
            wallet_id=await open_wallet(work, person.id, amount.currency),
            provider="sandbox",
            method="sandbox",
            status="completed",
            amount_minor=amount.minor,
            currency=amount.currency,
            created_at=work.now,
            updated_at=work.now,
        )
        work.session.add(payment)
        await work.session.flush()
        charge_id = new_id()
        disposition = await settle_top_up(work, payment, received, charge_id=charge_id)
        work.session.add(
            ChargeRow(
                id=charge_id,
                payment_id=payment.id,
                provider="sandbox",
                external_id=f"ch_{payment.id}",
                amount_minor=received.minor,
                currency=received.currency,
                disposition=disposition,
                refunded_minor=0,
                received_at=work.now,
            )
        )
