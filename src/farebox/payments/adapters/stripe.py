"""Stripe: its own payment page (Checkout), with cards, Apple Pay, Google Pay and what else the account has turned on.

Importing this loads Stripe's library, some 25 MB, so it is imported only where Stripe's keys are set.
"""

import asyncio
import hashlib
from collections.abc import Awaitable, Mapping, Sequence
from typing import Any, Final, TypeVar

import msgspec
import stripe
import structlog
from stripe.params.checkout import SessionCreateParams

from farebox.core.clock import Clock, system_clock
from farebox.core.i18n import N_
from farebox.payments.adapters.stripe_amounts import is_charged, to_stripe
from farebox.payments.adapters.stripe_objects import (
    PAYMENT_KEY,
    REFUND_KEY,
    REFUND_KINDS,
    Dispute,
    Intent,
    Refund,
    Session,
    dispute_event,
    read_event,
    refund_event,
    session_event,
)
from farebox.payments.errors import BadSignature, OrderRefused, ProviderUnavailable, RefundRefused
from farebox.payments.providers import (
    PaymentMethod,
    PaymentOrder,
    ProviderEvent,
    RefundAnswer,
    RefundOrder,
    RunningPayment,
    Started,
)

log = structlog.get_logger(__name__)
Answer = TypeVar("Answer")
Read = TypeVar("Read", bound=msgspec.Struct)

NAME: Final = "stripe"
METHOD: Final = "card"
SIGNATURE_HEADER: Final = "stripe-signature"
TOLERANCE_SECONDS: Final = 300

ANSWER_SECONDS: Final = 8.0
PATIENCE_SECONDS: Final = 20.0
"""How long one try may take, and one question with all of its tries; often somebody is waiting."""

RETRIES: Final = 1
OPEN_SECONDS: Final = 3600
"""How long a page can be paid if nobody closes it. Stripe wants 30 minutes at least, also when we ask once more."""

LONGEST_OPEN_SECONDS: Final = 86_000
NOT_NOW: Final = frozenset({"balance_insufficient"})
"""Refusals of a refund that pass: the account fills again."""

FAILED: Final = frozenset({"requires_payment_method", "canceled"})
"""Of an intent whose page is done: the bank said no afterwards."""

SLOW: Final = (
    "acss_debit au_becs_debit bacs_debit boleto customer_balance konbini multibanco nz_bank_account oxxo sepa_debit"
    " sofort us_bank_account"
)
"""Ways of paying that Stripe's page does not offer for us: their money comes days after the seats have been let go."""

LONGEST_REASON: Final = 500
LANGUAGES: Final = (
    "bg cs da de el en es et fi fil fr hr hu id it ja ko lt lv ms mt nb nl pl pt ro ru sk sl sv th tr vi zh"
)
"""In which Stripe's page can be shown."""

stripe.enable_telemetry = False  # else the library tells Stripe how fast we are, and keeps an id of this machine


class Stripe:
    """The adapter.

    Args:
        secret_key: `sk_…`, or a restricted key for checkouts, refunds and disputes.
        webhook_secret: `whsec_…`, of the endpoint that Stripe sends to.
        api_url: without a path.
    """

    name = NAME

    def __init__(self, *, secret_key: str, webhook_secret: str, api_url: str, clock: Clock = system_clock) -> None:
        self._http = stripe.HTTPXClient(timeout=ANSWER_SECONDS)
        self._client = stripe.StripeClient(
            secret_key,
            base_addresses={"api": api_url.rstrip("/")},
            http_client=self._http,
            max_network_retries=RETRIES,
        ).v1
        self._webhook_secret = webhook_secret
        self._clock = clock

    async def dispose(self) -> None:
        await self._http.close_async()  # type: ignore[no-untyped-call]  # the one that the library left out

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        """One: which cards and wallets there are for a currency and a country, Stripe's page knows best."""
        return [PaymentMethod(METHOD, N_("Card, Apple Pay or Google Pay"))] if is_charged(currency) else []

    async def start(self, order: PaymentOrder) -> Started:
        """Open a checkout; for the same order again, the same one.

        Raises:
            OrderRefused: Stripe does not take this amount, or not from this account.
            ProviderUnavailable: not now.
        """
        try:
            params = self._checkout(order, to_stripe(order.amount))
        except ValueError as error:
            raise OrderRefused from error
        # Stripe refuses a key that comes with other parameters; who is to return elsewhere gets another page
        digest = hashlib.sha256(msgspec.json.encode(params, order="deterministic")).hexdigest()[:16]
        try:
            session = await self._ask(
                self._client.checkout.sessions.create_async(
                    params, {"idempotency_key": f"start-{order.payment_id}-{digest}"}
                )
            )
        except stripe.InvalidRequestError as error:
            log.warning("stripe-order-refused", payment_id=str(order.payment_id), reason=str(error))
            raise OrderRefused from error
        return Started(session.id, checkout_url=session.url)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        try:
            answer = await self._ask(
                self._client.checkout.sessions.retrieve_async(payment.external_id, {"expand": ["payment_intent"]})
            )
            session = _as(Session, answer)
            if session.payment_status == "paid" and session.intent_id:
                return [session_event(session, f"{session.id}:paid", "completed"), *await self._afterwards(session)]
        except (stripe.InvalidRequestError, ValueError) as error:
            raise ProviderUnavailable from error
        if session.status == "expired":
            return [session_event(session, f"{session.id}:expired", "expired")]
        intent = session.payment_intent
        if session.status == "complete" and isinstance(intent, Intent) and intent.status in FAILED:
            return [session_event(session, f"{session.id}:failed", "async_payment_failed")]
        return []

    async def close(self, payment: RunningPayment) -> None:
        try:
            await self._ask(self._client.checkout.sessions.expire_async(payment.external_id))
        except stripe.InvalidRequestError:
            return  # it is paid, or was closed before

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give money back.

        Stripe forgets an idempotency key after a day, and we may ask for longer. So the refunds that there are come
        first: each carries our id.
        """
        try:
            amount = to_stripe(order.amount)
        except ValueError as error:
            raise RefundRefused from error
        try:
            made = await self._find_refund(order) or await self._make_refund(order, amount)
        except stripe.InvalidRequestError as error:
            if error.code in NOT_NOW:
                raise ProviderUnavailable from error
            raise RefundRefused from error
        if REFUND_KINDS.get(made.status) == "refund-failed":
            raise RefundRefused from RuntimeError(made.failure_reason or made.status)
        return RefundAnswer(made.id, is_final=made.status == "succeeded")

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        try:
            stripe.WebhookSignature.verify_header(
                body, headers.get(SIGNATURE_HEADER), self._webhook_secret, TOLERANCE_SECONDS
            )
        except (stripe.SignatureVerificationError, UnicodeDecodeError, TypeError) as error:
            raise BadSignature from error  # the last two: a body or a signature that is not text
        return read_event(body)

    def _checkout(self, order: PaymentOrder, amount: int) -> SessionCreateParams:
        """The same for the same order, whenever it is asked for, as long as the booking's end is within the hour.

        Prices are not shown in the payer's own currency: that charges amounts that we did not ask for.
        """
        begun = order.payment_id.int >> 80  # the milliseconds with which a UUIDv7 begins
        ends = int(self._clock().timestamp()) + order.expires_in_seconds
        ours = {PAYMENT_KEY: str(order.payment_id), "reference": order.reference}
        return {
            "mode": "payment",
            "line_items": [
                {
                    "quantity": 1,
                    "price_data": {
                        "currency": order.amount.currency.lower(),
                        "unit_amount": amount,
                        "product_data": {"name": order.reference},
                    },
                }
            ],
            "client_reference_id": str(order.payment_id),
            "metadata": ours,
            "payment_intent_data": {"metadata": ours, "description": order.reference},
            "adaptive_pricing": {"enabled": False},
            "excluded_payment_method_types": SLOW.split(),
            "success_url": order.return_url,
            "cancel_url": order.return_url,
            "expires_at": min(max(begun // 1000 + OPEN_SECONDS, ends), begun // 1000 + LONGEST_OPEN_SECONDS),
            "locale": order.language if order.language in LANGUAGES.split() else "auto",
        }

    async def _find_refund(self, order: RefundOrder) -> Refund | None:
        for refund in await self._refunds(order.charge_external_id):
            if (refund.metadata or {}).get(REFUND_KEY) == str(order.refund_id):
                return refund
        return None

    async def _make_refund(self, order: RefundOrder, amount: int) -> Refund:
        answer = await self._ask(
            self._client.refunds.create_async(
                {
                    "payment_intent": order.charge_external_id,
                    "amount": amount,
                    "metadata": {REFUND_KEY: str(order.refund_id), "reason": order.reason[:LONGEST_REASON]},
                },
                {"idempotency_key": f"refund-{order.refund_id}"},
            )
        )
        return _as(Refund, answer)

    async def _refunds(self, intent_id: str) -> list[Refund]:
        answer = await self._ask(self._client.refunds.list_async({"payment_intent": intent_id, "limit": 100}))
        return [_as(Refund, each) for each in answer.data]

    async def _afterwards(self, session: Session) -> list[ProviderEvent]:
        """What became of the money after it was taken, so far as it is decided."""
        disputes = await self._ask(self._client.disputes.list_async({"payment_intent": session.intent_id}))
        events = [
            *(
                refund_event(refund, f"{refund.id}:{refund.status}")
                for refund in await self._refunds(session.intent_id)
            ),
            *(dispute_event(d, f"{d.id}:{d.status}") for d in (_as(Dispute, each) for each in disputes.data)),
        ]
        return [event for event in events if event.kind != "other"]

    async def _ask(self, question: Awaitable[Answer]) -> Answer:
        """One question, with the library's own second try.

        Raises:
            InvalidRequestError: Stripe understood, and does not do it.
            ProviderUnavailable: anything else.
        """
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await question
        except stripe.InvalidRequestError:
            raise
        except (stripe.StripeError, TimeoutError) as error:
            log.warning("stripe-unavailable", reason=f"{type(error).__name__}: {error}")
            raise ProviderUnavailable from error


def _as(kind: type[Read], answer: Any) -> Read:
    """Raises: ProviderUnavailable: an answer that is not one. It may have been done all the same."""
    try:
        return msgspec.convert(answer.to_dict(), kind)
    except msgspec.ValidationError as error:
        raise ProviderUnavailable from error
