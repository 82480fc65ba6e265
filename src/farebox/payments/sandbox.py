"""The sandbox: a provider that takes no money. It has its own page, signs its messages, and never is in production.

Its message is JSON, signed like those of real providers: `Farebox-Sandbox-Signature: t=<unix seconds>,v1=<hex>`, where
the hex is HMAC-SHA256 over `<t>.<body>`, with a key that only this installation has.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias
from uuid import UUID

import msgspec
from sqlalchemy import select

from farebox.accounts import SYSTEM
from farebox.bookings import expire_booking, get_booking
from farebox.core.clock import Clock, system_clock
from farebox.core.db import Database, UnitOfWork
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.core.pipeline import Rows
from farebox.core.rows import Selection, inserted_values
from farebox.payments.errors import BadSignature, NotPayable, PaymentNotFound, UnknownProvider, UnreadableWebhook
from farebox.payments.inbox import receive_webhook
from farebox.payments.models import RefundRow, SandboxMessageRow
from farebox.payments.providers import (
    EventKind,
    PaymentMethod,
    PaymentOrder,
    ProviderEvent,
    Providers,
    RefundAnswer,
    RefundOrder,
    RunningPayment,
    Started,
)
from farebox.payments.queries import PAYMENT
from farebox.payments.views import PaymentView, payment_view
from farebox.ticketing import Signer

NAME: Final = "sandbox"
SIGNATURE_HEADER: Final = "farebox-sandbox-signature"
TOLERANCE_SECONDS: Final = 300
LONGEST_TIME: Final = 12
"""Digits of the time in a signature; Python refuses to read thousands of them, with an error of another kind."""

PAGE: Final = "/pay/sandbox/{payment_id}"
"""Where the sandbox's page is, under the base URL."""

SandboxOutcome: TypeAlias = Literal[
    "succeeded",
    "failed",
    "late",
    "twice",
    "partial",
    "silent",
    "approved",
    "dispute",
    "dispute-won",
    "dispute-lost",
    "refund-failed",
]
"""What the sandbox can be told to do; see `play_sandbox`."""

MessageType: TypeAlias = Literal[
    "charge.succeeded",
    "charge.failed",
    "checkout.approved",
    "checkout.closed",
    "dispute.opened",
    "dispute.won",
    "dispute.lost",
    "refund.succeeded",
    "refund.failed",
]

KINDS: Final[dict[MessageType, EventKind]] = {
    "charge.succeeded": "paid",
    "charge.failed": "failed",
    "checkout.approved": "approved",
    "checkout.closed": "other",
    "dispute.opened": "disputed",
    "dispute.won": "dispute-won",
    "dispute.lost": "dispute-lost",
    "refund.succeeded": "refunded",
    "refund.failed": "refund-failed",
}
"""Its words in ours."""


class SandboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox sends, and remembers."""

    id: str
    type: MessageType
    payment: UUID
    charge: str = ""
    dispute: str = ""
    refund: UUID | None = None
    amount: int = 0
    currency: str = ""
    failure: str = ""


class Sandbox:
    """The adapter, and the far side of it, since there is no company behind it.

    Args:
        key: signs and verifies its messages.
        base_url: where its page is.
        database: where it remembers what it did.
    """

    name = NAME

    def __init__(self, key: bytes, base_url: str, *, database: Database, clock: Clock = system_clock) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._database = database
        self._clock = clock

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        """One, for every currency."""
        return [PaymentMethod(NAME, N_("Test payment, no money moves"))]

    async def start(self, order: PaymentOrder) -> Started:
        page = PAGE.format(payment_id=order.payment_id)
        return Started(external_id=f"sandbox_{order.payment_id}", checkout_url=self._base_url + page)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        async with self._database.begin() as work:
            told = await recall(work, payment.payment_id)
            if told and told[-1].type == "checkout.approved":
                told.append(_charge(payment.payment_id, f"ch_{payment.payment_id}", payment.amount))
                remember(work, told[-1:])
        return [_event(message) for message in told]

    async def close(self, payment: RunningPayment) -> None:
        closed = SandboxMessage(id=f"closed_{payment.payment_id}", type="checkout.closed", payment=payment.payment_id)
        async with self._database.begin() as work:
            remember(work, [closed])

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        return RefundAnswer(f"sandbox_refund_{order.refund_id}")

    async def dispose(self) -> None:
        return None

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        self._verify(headers.get(SIGNATURE_HEADER, ""), body)
        try:
            message = msgspec.json.decode(body, type=SandboxMessage)
        except msgspec.DecodeError as error:
            raise UnreadableWebhook from error
        return _event(message)

    def sign(self, body: bytes) -> dict[str, str]:
        """The headers with which the sandbox sends `body` now."""
        at = int(self._clock().timestamp())
        return {SIGNATURE_HEADER: f"t={at},v1={self._digest(at, body)}"}

    def _verify(self, header: str, body: bytes) -> None:
        parts = dict(part.split("=", 1) for part in header.split(",") if "=" in part)
        at = parts.get("t", "")
        is_time = at.isascii() and at.isdigit() and len(at) <= LONGEST_TIME
        if not is_time or abs(self._clock().timestamp() - int(at)) > TOLERANCE_SECONDS:
            raise BadSignature
        if not hmac.compare_digest(self._digest(int(at), body).encode(), parts.get("v1", "").encode()):
            raise BadSignature

    def _digest(self, at: int, body: bytes) -> str:
        return hmac.new(self._key, f"{at}.".encode() + body, hashlib.sha256).hexdigest()


async def play_sandbox(
    database: Database, payment_id: UUID, outcome: SandboxOutcome, *, providers: Providers, signer: Signer
) -> PaymentView:
    """Let the sandbox do with a payment what somebody chose on its page: it signs and sends its messages.

    Args:
        outcome: `succeeded`, `failed`: the payer paid, or was declined. `late`: paid after the booking's time had run
            out. `twice`: charged two times. `partial`: half of it was paid; again, the rest. `silent`: paid, and its
            message is lost. `approved`: the payer agreed, and the money waits to be asked for. `dispute`,
            `dispute-won`, `dispute-lost`: the payer's bank wants the last charge back, and how that ends.
            `refund-failed`: the last refund came back.

    Raises:
        UnknownProvider: there is no sandbox here.
        PaymentNotFound: no such payment.
        NotPayable: its checkout was closed, so nobody pays it any more.
    """
    sandbox = providers.get(NAME)
    if not isinstance(sandbox, Sandbox):
        raise UnknownProvider
    async with database.begin() as work:
        rows, messages_told = await work.send([PAYMENT.about(payment_id), _TOLD.about(payment_id)])
        if not rows:
            raise PaymentNotFound
        payment = payment_view(PAYMENT.read(rows)[0])
        told = _messages_of(messages_told)
        if outcome == "late" and payment.booking_id is not None:
            booking = await get_booking(work, payment.booking_id, actor=SYSTEM, lock=True)
            if booking.is_open:
                await expire_booking(work, booking.id)
        if outcome in PAYING and any(message.type == "checkout.closed" for message in told):
            raise NotPayable
        refund_id = await _last_refund(work, payment_id) if outcome == "refund-failed" else None
        messages = _messages(payment, outcome, told, refund_id)
        remember(work, messages)
    for message in messages if outcome != "silent" else []:
        body = msgspec.json.encode(message)
        await receive_webhook(database, NAME, sandbox.sign(body), body, providers=providers, signer=signer)
    async with database.begin() as work:
        [rows] = await work.send_last([PAYMENT.about(payment_id)])
    return payment_view(PAYMENT.read(rows)[0])


PAYING: Final = frozenset({"succeeded", "failed", "twice", "partial", "silent", "approved"})
"""What needs an open checkout. `late` does without: somebody had paid, and the bank was slow."""

DISPUTES: Final[dict[SandboxOutcome, MessageType]] = {
    "dispute": "dispute.opened",
    "dispute-won": "dispute.won",
    "dispute-lost": "dispute.lost",
}


def _messages(
    payment: PaymentView, outcome: SandboxOutcome, told: Sequence[SandboxMessage], refund_id: UUID | None
) -> list[SandboxMessage]:
    """Pressing *pay* again names the same charge again, as a real page would; *pay twice* makes a second one."""
    only = f"ch_{payment.id}"
    charges = [message for message in told if message.type == "charge.succeeded"]
    if outcome == "failed":
        return [_message("charge.failed", payment.id, failure="declined")]
    if outcome == "approved":
        return [_message("checkout.approved", payment.id)]
    if outcome == "partial":
        half = Money(payment.amount.minor // 2, payment.amount.currency)
        part = payment.amount - half if charges else half
        return [_charge(payment.id, f"{only}_{len(charges) + 1}", part)]
    if outcome == "refund-failed":
        return [_message("refund.failed", payment.id, refund=refund_id, failure="account-closed")] if refund_id else []
    if outcome in DISPUTES:
        last = charges[-1:]
        return [
            _message(DISPUTES[outcome], payment.id, charge=each.charge, amount=each.amount, currency=each.currency)
            for each in last
        ]
    names = [only, f"{only}_2"] if outcome == "twice" else [only]
    return [_charge(payment.id, name, payment.amount) for name in names]


def _charge(payment_id: UUID, charge: str, amount: Money) -> SandboxMessage:
    return _message("charge.succeeded", payment_id, charge=charge, amount=amount.minor, currency=amount.currency)


def _message(kind: MessageType, payment_id: UUID, **facts: Any) -> SandboxMessage:
    return SandboxMessage(id=f"evt_{new_id()}", type=kind, payment=payment_id, **facts)


def _event(message: SandboxMessage) -> ProviderEvent:
    return ProviderEvent(
        external_id=message.id,
        kind=KINDS[message.type],
        payment_id=message.payment,
        charge_id=message.charge,
        refund_id=message.refund,
        dispute_id=message.dispute,
        amount_minor=message.amount,
        currency=message.currency,
        failure=message.failure,
    )


def remember(work: UnitOfWork, messages: Sequence[SandboxMessage]) -> None:
    """Write down what the sandbox did; the same again is written once."""
    for each in messages:
        values = {"id": each.id, "payment_id": each.payment, "at": work.now, "message": msgspec.to_builtins(each)}
        work.put(inserted_values(SandboxMessageRow, values, rest="ON CONFLICT DO NOTHING"))


async def recall(work: UnitOfWork, payment_id: UUID) -> list[SandboxMessage]:
    """What the sandbox did with a payment, in order."""
    [found] = await work.send([_TOLD.about(payment_id)])
    return _messages_of(found)


def _messages_of(found: Rows) -> list[SandboxMessage]:
    return [msgspec.convert(row.message, SandboxMessage) for row in _TOLD.read(found)]


_TOLD: Final = Selection(SandboxMessageRow, "WHERE payment_id = $1 ORDER BY at, id")


async def _last_refund(work: UnitOfWork, payment_id: UUID) -> UUID | None:
    return await work.session.scalar(
        select(RefundRow.id)
        .where(RefundRow.payment_id == payment_id, RefundRow.status.in_(["pending", "completed"]))
        .order_by(RefundRow.created_at.desc(), RefundRow.id.desc())
        .limit(1)
    )
