"""What Stripe's objects mean to us: the same reading for those that it sends and those that it is asked for.

A charge is named by its payment intent, which succeeds once at most, and which is the one id that sessions, refunds
and disputes all carry.
"""

from typing import Final, TypeAlias
from uuid import UUID

import msgspec

from farebox.payments.adapters.stripe_amounts import from_stripe
from farebox.payments.errors import UnreadableWebhook
from farebox.payments.providers import EventKind, ProviderEvent

PAYMENT_KEY: Final = "farebox_payment"
REFUND_KEY: Final = "farebox_refund"
"""Names in Stripe's metadata, under which our ids are."""

Metadata: TypeAlias = dict[str, str] | None


class PaymentError(msgspec.Struct):
    code: str | None = None
    decline_code: str | None = None


class Intent(msgspec.Struct):
    """A payment intent. What it received is what it asked for, where it does not say more."""

    id: str
    status: str
    currency: str
    amount: int
    amount_received: int | None = None
    metadata: Metadata = None
    last_payment_error: PaymentError | None = None


class Session(msgspec.Struct):
    """A checkout. It has an intent from when somebody tries to pay."""

    id: str
    status: str | None
    payment_status: str
    amount_total: int | None
    currency: str | None
    payment_intent: str | Intent | None = None
    url: str | None = None
    metadata: Metadata = None

    @property
    def intent_id(self) -> str:
        """Empty where there is none."""
        return (self.payment_intent.id if isinstance(self.payment_intent, Intent) else self.payment_intent) or ""


class Refund(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str | None
    payment_intent: str | None = None
    failure_reason: str | None = None
    metadata: Metadata = None


class Dispute(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    payment_intent: str | None = None


class _Data(msgspec.Struct):
    object: msgspec.Raw


class _Event(msgspec.Struct):
    id: str
    type: str
    data: _Data


REFUND_KINDS: Final[dict[str | None, EventKind]] = {
    "succeeded": "refunded",
    "failed": "refund-failed",
    "canceled": "refund-failed",
}
DISPUTE_KINDS: Final[dict[str, EventKind]] = {
    "needs_response": "disputed",
    "under_review": "disputed",
    "appeal_needs_response": "disputed",
    "appeal_under_review": "disputed",
    "won": "dispute-won",
    "lost": "dispute-lost",
}
"""Not those that begin with `warning_`: a bank's question, with which no money goes."""


def read_event(body: bytes) -> ProviderEvent:
    """What a message means. Its signature was checked.

    Raises:
        UnreadableWebhook: it is of no form that we know.
    """
    try:
        event = msgspec.json.decode(body, type=_Event)
        return _read(event)
    except (msgspec.DecodeError, ValueError) as error:  # a ValidationError is the first, a strange amount the second
        raise UnreadableWebhook from error


def _read(event: _Event) -> ProviderEvent:
    """A declined card (`payment_intent.payment_failed`) is not the end: the page stays open for another try.

    `charge.refunded` tells how much of a charge went back in all, and `refund.*` each refund; so we read the latter.
    """
    raw = event.data.object
    match event.type.split("."):
        case ["checkout", "session", what]:
            return session_event(msgspec.json.decode(raw, type=Session), event.id, what)
        case ["payment_intent", "succeeded"]:
            return intent_event(msgspec.json.decode(raw, type=Intent), event.id)
        case ["refund", _] | ["charge", "refund", "updated"]:
            return refund_event(msgspec.json.decode(raw, type=Refund), event.id)
        case ["charge", "dispute", _]:
            return dispute_event(msgspec.json.decode(raw, type=Dispute), event.id)
    return ProviderEvent(external_id=event.id, kind="other")


def session_event(session: Session, external_id: str, what: str) -> ProviderEvent:
    """What became of a checkout.

    Args:
        what: `completed`: the traveller is done, and the money there or (from banks) still to come;
            `async_payment_succeeded`, `async_payment_failed`: that came, or will not; `expired`: nobody paid.
    """
    payment_id = _our_id(session.metadata, PAYMENT_KEY)
    if payment_id is not None and session.payment_status == "paid" and session.intent_id:
        money = from_stripe(session.amount_total or 0, session.currency or "")
        return ProviderEvent(
            external_id=external_id,
            kind="paid",
            payment_id=payment_id,
            payment_external_id=session.id,
            charge_id=session.intent_id,
            amount_minor=money.minor,
            currency=money.currency,
        )
    is_over = payment_id is not None and what in {"async_payment_failed", "expired"}
    return ProviderEvent(
        external_id=external_id,
        kind="failed" if is_over else "other",
        payment_id=payment_id,
        payment_external_id=session.id,
        failure=(_decline(session) or what.replace("_", "-")) if is_over else "",
    )


def intent_event(intent: Intent, external_id: str) -> ProviderEvent:
    """An intent that succeeded. One without our id is of another business on the same account."""
    payment_id = _our_id(intent.metadata, PAYMENT_KEY)
    if payment_id is None:
        return ProviderEvent(external_id=external_id, kind="other")
    received = intent.amount if intent.amount_received is None else intent.amount_received
    money = from_stripe(received, intent.currency)
    return ProviderEvent(
        external_id=external_id,
        kind="paid",
        payment_id=payment_id,
        charge_id=intent.id,
        amount_minor=money.minor,
        currency=money.currency,
    )


def refund_event(refund: Refund, external_id: str) -> ProviderEvent:
    money = from_stripe(refund.amount, refund.currency)
    kind = REFUND_KINDS.get(refund.status, "other")
    return ProviderEvent(
        external_id=external_id,
        kind=kind,
        charge_id=refund.payment_intent or "",
        refund_id=_our_id(refund.metadata, REFUND_KEY),
        refund_external_id=refund.id,
        amount_minor=money.minor,
        currency=money.currency,
        failure=(refund.failure_reason or refund.status or "") if kind == "refund-failed" else "",
    )


def dispute_event(dispute: Dispute, external_id: str) -> ProviderEvent:
    money = from_stripe(dispute.amount, dispute.currency)
    return ProviderEvent(
        external_id=external_id,
        kind=DISPUTE_KINDS.get(dispute.status, "other"),
        charge_id=dispute.payment_intent or "",
        dispute_id=dispute.id,
        amount_minor=money.minor,
        currency=money.currency,
    )


def _our_id(metadata: Metadata, key: str) -> UUID | None:
    try:
        return UUID((metadata or {}).get(key, ""))
    except ValueError:
        return None


def _decline(session: Session) -> str:
    """Why the bank said no, where the intent is at hand."""
    error = session.payment_intent.last_payment_error if isinstance(session.payment_intent, Intent) else None
    return (error.decline_code or error.code or "") if error else ""
