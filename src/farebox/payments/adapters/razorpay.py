"""Razorpay: a payment link for each payment, whose page takes UPI, cards and net banking, in rupees.

Written on HTTP and not on Razorpay's own library: that blocks the process while it waits (razorpay.com/docs/api).

A message carries no time and no id that is signed, so it is named by its own digest. One that is played again is the
same message, and a charge counts once.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

import msgspec
import structlog

from farebox.core.clock import Clock, system_clock
from farebox.core.i18n import N_
from farebox.payments.adapters.calling import Answer, Caller
from farebox.payments.errors import BadSignature, OrderRefused, ProviderUnavailable, RefundRefused, UnreadableWebhook
from farebox.payments.providers import (
    EventKind,
    PaymentMethod,
    PaymentOrder,
    ProviderEvent,
    RefundAnswer,
    RefundOrder,
    RunningPayment,
    Started,
)

log = structlog.get_logger(__name__)
Entity = TypeVar("Entity", bound=msgspec.Struct)

NAME: Final = "razorpay"
CURRENCY: Final = "INR"
"""The only one that every account may take."""

SIGNATURE_HEADER: Final = "x-razorpay-signature"
REFUND_KEY_HEADER: Final = "x-refund-idempotency"
LINKS: Final = "/v1/payment_links"
PAYMENT_NOTE: Final = "farebox_payment"
REFUND_NOTE: Final = "farebox_refund"
"""Names of the notes under which our ids are. Razorpay copies a link's notes to the payments made with it."""

LONGEST_NOTE: Final = 256
SHORTEST_OPEN_SECONDS: Final = 1200
"""How long a link can be paid at least, if nobody closes it. Razorpay wants more than 15 minutes."""

NOT_NOW: Final = (401, 403, 409)
"""Answers that are about us, or about the moment, and not about what was asked."""

OVER: Final = frozenset({"expired", "cancelled"})
REFUND_KINDS: Final[dict[str, EventKind]] = {"processed": "refunded", "failed": "refund-failed"}
DISPUTE_KINDS: Final[dict[str, EventKind]] = {
    "payment.dispute.created": "disputed",
    "payment.dispute.won": "dispute-won",
    "payment.dispute.lost": "dispute-lost",
    "payment.dispute.closed": "dispute-won",  # a bank's question that was answered: the money stays
}

Notes: TypeAlias = dict[str, Any] | list[Any] | None
"""Razorpay writes an empty object as `[]`."""


class _PaidPart(msgspec.Struct):
    """A payment made with a link, and captured: others are not told."""

    payment_id: str
    amount: int


class _Link(msgspec.Struct):
    id: str
    status: str
    short_url: str
    reference_id: str | None = None
    notes: Notes = None
    payments: list[_PaidPart] | None = None


class _Payment(msgspec.Struct):
    id: str
    amount: int
    currency: str
    status: str
    notes: Notes = None


class _Refund(msgspec.Struct):
    id: str
    amount: int
    currency: str
    payment_id: str
    status: str
    notes: Notes = None


class _Dispute(msgspec.Struct):
    id: str
    payment_id: str
    amount: int
    currency: str


class _Links(msgspec.Struct):
    payment_links: list[_Link] = []


class _Refunds(msgspec.Struct):
    items: list[_Refund] = []


class _Part(msgspec.Struct):
    entity: msgspec.Raw


class _Message(msgspec.Struct):
    event: str
    payload: dict[str, _Part]


class Razorpay:
    """The adapter.

    Args:
        webhook_secret: chosen by the merchant when the webhook was set up; not the key's.
    """

    name = NAME

    def __init__(
        self, *, key_id: str, key_secret: str, webhook_secret: str, api_url: str, clock: Clock = system_clock
    ) -> None:
        self._auth = (key_id, key_secret)
        self._webhook_secret = webhook_secret.encode()
        self._caller = Caller(NAME, api_url)
        self._clock = clock

    async def dispose(self) -> None:
        await self._caller.dispose()

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        return [PaymentMethod(NAME, N_("UPI, card or net banking"))] if currency == CURRENCY else []

    async def start(self, order: PaymentOrder) -> Started:
        """Make a link, or find the one that was made for the same payment: Razorpay takes a reference once, for ever.

        Raises:
            OrderRefused: it does not take this amount, or not from this account.
            ProviderUnavailable: not now.
        """
        reference = str(order.payment_id)
        form = {
            "amount": order.amount.minor,
            "currency": order.amount.currency,
            "accept_partial": False,
            "reference_id": reference,
            "description": order.reference,
            "expire_by": int(self._clock().timestamp()) + max(order.expires_in_seconds, SHORTEST_OPEN_SECONDS),
            "notify": {"sms": False, "email": False},
            "reminder_enable": False,
            "notes": {PAYMENT_NOTE: reference},
            "callback_url": order.return_url,
            "callback_method": "get",
        }
        answer = await self._ask("POST", LINKS, json=form)
        link = _read(answer, _Link) if answer.is_success else await self._find_link(reference)
        if link is None:
            log.warning("razorpay-order-refused", payment_id=reference, reason=_reason(answer))
            raise OrderRefused
        return Started(link.id, checkout_url=link.short_url)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        answer = await self._ask("GET", f"{LINKS}/{payment.external_id}")
        if not answer.is_success:
            raise ProviderUnavailable from LookupError(_reason(answer))
        link = _read(answer, _Link)
        events: list[ProviderEvent] = []
        for part in link.payments or []:
            events.append(_paid(f"{part.payment_id}:paid", part.payment_id, part.amount, CURRENCY, payment.payment_id))
            try:
                refunds = await self._refunds(part.payment_id)
            except LookupError as error:
                raise ProviderUnavailable from error
            events += [_refunded(f"{each.id}:{each.status}", each) for each in refunds]
        if link.status in OVER:
            events.append(_over(f"{link.id}:{link.status}", link))
        return [event for event in events if event.kind != "other"]

    async def close(self, payment: RunningPayment) -> None:
        await self._ask("POST", f"{LINKS}/{payment.external_id}/cancel")  # refused where it is paid, or over

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give money back. How long Razorpay knows an idempotency key it does not say, so refunds carry our id, and
        those that there are come first."""
        try:
            made = await self._find_refund(order)
        except LookupError as error:
            raise RefundRefused from error
        if made is None:
            answer = await self._ask(
                "POST",
                f"/v1/payments/{order.charge_external_id}/refund",
                headers={REFUND_KEY_HEADER: str(order.refund_id)},
                json={
                    "amount": order.amount.minor,
                    "speed": "normal",
                    "receipt": str(order.refund_id),
                    "notes": {REFUND_NOTE: str(order.refund_id), "reason": order.reason[:LONGEST_NOTE]},
                },
            )
            if not answer.is_success:
                if "balance" in _reason(answer).lower():
                    raise ProviderUnavailable from RuntimeError(_reason(answer))  # it fills again
                raise RefundRefused from RuntimeError(_reason(answer))
            made = _read(answer, _Refund)
        if made.status == "failed":
            raise RefundRefused from RuntimeError(made.status)
        return RefundAnswer(made.id, is_final=made.status == "processed")

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        expected = hmac.new(self._webhook_secret, body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected.encode(), headers.get(SIGNATURE_HEADER, "").encode()):
            raise BadSignature
        try:
            return _event(msgspec.json.decode(body, type=_Message), hashlib.sha256(body).hexdigest())
        except (msgspec.DecodeError, KeyError) as error:
            raise UnreadableWebhook from error

    async def _find_link(self, reference: str) -> _Link | None:
        """The link with a reference. The filter is not kept to in every mode, so we look for ourselves, too."""
        answer = await self._ask("GET", LINKS, params={"reference_id": reference})
        if not answer.is_success:
            return None
        links = _read(answer, _Links).payment_links
        return next((link for link in links if link.reference_id == reference and link.status == "created"), None)

    async def _find_refund(self, order: RefundOrder) -> _Refund | None:
        refunds = await self._refunds(order.charge_external_id)
        return next((each for each in refunds if _note(each.notes, REFUND_NOTE) == order.refund_id), None)

    async def _refunds(self, charge_id: str) -> list[_Refund]:
        """Raises: LookupError: Razorpay does not know the charge."""
        answer = await self._ask("GET", f"/v1/payments/{charge_id}/refunds", params={"count": 100})
        if not answer.is_success:
            raise LookupError(_reason(answer))
        return _read(answer, _Refunds).items

    async def _ask(self, method: str, path: str, **content: Any) -> Answer:
        answer = await self._caller.ask(method, path, auth=self._auth, **content)
        if answer.status in NOT_NOW:
            log.warning("razorpay-unavailable", status=answer.status, reason=_reason(answer))
            raise ProviderUnavailable from ConnectionError(_reason(answer))
        return answer


def _event(message: _Message, external_id: str) -> ProviderEvent:
    """What a message means. A payment that failed (`payment.failed`) is not the end: the page takes another try."""
    match message.event.split("."):
        case ["payment_link", "paid"] | ["payment", "captured"]:
            payment = _entity(message, "payment", _Payment)
            our_id = _note(payment.notes, PAYMENT_NOTE)
            if our_id is not None and payment.status == "captured":
                return _paid(external_id, payment.id, payment.amount, payment.currency, our_id)
        case ["payment_link", "expired" | "cancelled"]:
            return _over(external_id, _entity(message, "payment_link", _Link))
        case ["refund", _]:
            return _refunded(external_id, _entity(message, "refund", _Refund))
        case ["payment", "dispute", _] if message.event in DISPUTE_KINDS:
            dispute = _entity(message, "dispute", _Dispute)
            return ProviderEvent(
                external_id=external_id,
                kind=DISPUTE_KINDS[message.event],
                charge_id=dispute.payment_id,
                dispute_id=dispute.id,
                amount_minor=dispute.amount,
                currency=dispute.currency,
            )
    return ProviderEvent(external_id=external_id, kind="other")


def _paid(external_id: str, charge_id: str, amount: int, currency: str, payment_id: UUID) -> ProviderEvent:
    return ProviderEvent(
        external_id=external_id,
        kind="paid",
        payment_id=payment_id,
        charge_id=charge_id,
        amount_minor=amount,
        currency=currency,
    )


def _over(external_id: str, link: _Link) -> ProviderEvent:
    """A link that nobody can pay any more. One without our note is of another business on the same account."""
    payment_id = _note(link.notes, PAYMENT_NOTE)
    return ProviderEvent(
        external_id=external_id,
        kind="other" if payment_id is None else "failed",
        payment_id=payment_id,
        payment_external_id=link.id,
        failure="" if payment_id is None else link.status,
    )


def _refunded(external_id: str, refund: _Refund) -> ProviderEvent:
    kind = REFUND_KINDS.get(refund.status, "other")
    return ProviderEvent(
        external_id=external_id,
        kind=kind,
        charge_id=refund.payment_id,
        refund_id=_note(refund.notes, REFUND_NOTE),
        refund_external_id=refund.id,
        amount_minor=refund.amount,
        currency=refund.currency,
        failure=refund.status if kind == "refund-failed" else "",
    )


def _note(notes: Notes, name: str) -> UUID | None:
    """One of our ids."""
    try:
        return UUID(str(notes[name])) if isinstance(notes, dict) else None
    except (KeyError, ValueError):
        return None


def _entity(message: _Message, name: str, kind: type[Entity]) -> Entity:
    return msgspec.json.decode(message.payload[name].entity, type=kind)


def _read(answer: Answer, kind: type[Entity]) -> Entity:
    """Raises: ProviderUnavailable: an answer that is not one."""
    try:
        return msgspec.json.decode(answer.raw, type=kind)
    except msgspec.DecodeError as error:
        raise ProviderUnavailable from error


def _reason(answer: Answer) -> str:
    """Why not, in Razorpay's words."""
    error = answer.body.get("error")
    return str(error.get("description", "")) if isinstance(error, dict) else f"status {answer.status}"
