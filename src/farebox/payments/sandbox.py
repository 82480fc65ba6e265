"""The sandbox: a provider that takes no money. It has its own page, signs its messages, and never is in production.

Its message is JSON, signed like those of real providers: `Farebox-Sandbox-Signature: t=<unix seconds>,v1=<hex>`, where
the hex is HMAC-SHA256 over `<t>.<body>`, with a key that only this installation has.
"""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Final, Literal, TypeAlias
from uuid import UUID

import msgspec

from farebox.accounts import SYSTEM
from farebox.bookings import expire_booking, get_booking
from farebox.core.clock import Clock, system_clock
from farebox.core.db import Database
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.payments.errors import BadSignature, UnknownProvider, UnreadableWebhook
from farebox.payments.inbox import receive_webhook
from farebox.payments.providers import (
    PaymentMethod,
    PaymentOrder,
    ProviderEvent,
    Providers,
    RefundAnswer,
    RefundOrder,
    RunningPayment,
    Started,
)
from farebox.payments.queries import get_payment
from farebox.payments.views import PaymentView
from farebox.ticketing import Signer

NAME: Final = "sandbox"
SIGNATURE_HEADER: Final = "farebox-sandbox-signature"
TOLERANCE_SECONDS: Final = 300
LONGEST_TIME: Final = 12
"""Digits of the time in a signature; Python refuses to read thousands of them, with an error of another kind."""

PAGE: Final = "/pay/sandbox/{payment_id}"
"""Where the sandbox's page is, under the base URL."""

SandboxOutcome: TypeAlias = Literal["succeeded", "failed", "late", "twice"]


class SandboxMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What the sandbox sends."""

    id: str
    type: Literal["charge.succeeded", "charge.failed"]
    payment: UUID
    charge: str = ""
    amount: int = 0
    currency: str = ""
    failure: str = ""


class Sandbox:
    """The adapter, and the far side of it, since there is no company behind it.

    Args:
        key: signs and verifies its messages.
        base_url: where its page is.
    """

    name = NAME

    def __init__(self, key: bytes, base_url: str, *, clock: Clock = system_clock) -> None:
        self._key = key
        self._base_url = base_url.rstrip("/")
        self._clock = clock

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        """One, for every currency."""
        return [PaymentMethod(NAME, N_("Test payment, no money moves"))]

    async def start(self, order: PaymentOrder) -> Started:
        page = PAGE.format(payment_id=order.payment_id)
        return Started(external_id=f"sandbox_{order.payment_id}", checkout_url=self._base_url + page)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        return []  # it forgets at once what it has told

    async def close(self, payment: RunningPayment) -> None:
        return None

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
        return ProviderEvent(
            external_id=message.id,
            kind="paid" if message.type == "charge.succeeded" else "failed",
            payment_id=message.payment,
            charge_id=message.charge,
            amount_minor=message.amount,
            currency=message.currency,
            failure=message.failure,
        )

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
    """Let the sandbox end a payment as somebody pressed on its page: it signs and sends its webhook.

    Args:
        outcome: `late`: the booking's time runs out first; `twice`: the same payment is charged two times.

    Raises:
        UnknownProvider: there is no sandbox here.
        PaymentNotFound: no such payment.
    """
    sandbox = providers.get(NAME)
    if not isinstance(sandbox, Sandbox):
        raise UnknownProvider
    async with database.begin() as work:
        payment = await get_payment(work, payment_id, actor=SYSTEM)
        assert payment.booking_id is not None  # others are not found
        booking = await get_booking(work, payment.booking_id, actor=SYSTEM, lock=True)
        if outcome == "late" and booking.is_open:
            await expire_booking(work, booking.id)
    for message in _messages(payment, outcome):
        body = msgspec.json.encode(message)
        await receive_webhook(database, NAME, sandbox.sign(body), body, providers=providers, signer=signer)
    async with database.begin() as work:
        return await get_payment(work, payment_id, actor=SYSTEM)


def _messages(payment: PaymentView, outcome: SandboxOutcome) -> list[SandboxMessage]:
    """Pressing *pay* again names the same charge again, as a real page would; *pay twice* makes a second one."""
    if outcome == "failed":
        failure = "declined"
        return [SandboxMessage(id=f"evt_{new_id()}", type="charge.failed", payment=payment.id, failure=failure)]
    charges = [f"ch_{payment.id}"] + ([f"ch_{payment.id}_2"] if outcome == "twice" else [])
    return [
        SandboxMessage(
            id=f"evt_{new_id()}",
            type="charge.succeeded",
            payment=payment.id,
            charge=charge,
            amount=payment.amount.minor,
            currency=payment.amount.currency,
        )
        for charge in charges
    ]
