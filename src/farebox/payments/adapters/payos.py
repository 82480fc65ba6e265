"""PayOS: a page with a QR code that any Vietnamese bank's app can pay, in đồng (payos.vn/docs).

Written on HTTP and not on PayOS's own library: that refuses messages with a field that it does not know, and compares
signatures in a time that depends on where they differ.

What is signed is not the body but its `data`, by a rule of its own (see `signed_text`); a message carries no time. A
message that is played again is harmless all the same: each names its transfer, and a transfer counts once.
"""

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias
from uuid import UUID

import msgspec
import structlog

from farebox.core.clock import Clock, system_clock
from farebox.core.i18n import N_
from farebox.payments.adapters.calling import Answer, Caller
from farebox.payments.errors import BadSignature, OrderRefused, ProviderUnavailable, RefundRefused, UnreadableWebhook
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

NAME: Final = "payos"
CURRENCY: Final = "VND"
DONE: Final = "00"
"""The code of every answer and message that tells a success."""

LINKS: Final = "/v2/payment-requests"
CHECKOUT: Final = "https://pay.payos.vn/web/"
"""Where a link's page is, by its id. Told when a link is made, but not when it is asked for again."""

LONGEST_DESCRIPTION: Final = 25
CODES: Final = 3
"""Order codes that are tried for one payment."""

CLOCKS_DIFFER: Final = timedelta(minutes=10)
OVER: Final = frozenset({"CANCELLED", "EXPIRED", "FAILED"})

Data: TypeAlias = Mapping[str, Any]


class _Transfer(msgspec.Struct, frozen=True, kw_only=True):
    """Money that came in for a link. `reference` is the bank's."""

    reference: str
    amount: int


class _NewLink(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    payment_link_id: str
    checkout_url: str


class _Link(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    id: str
    amount: int
    status: str
    created_at: datetime
    transactions: list[_Transfer] = []


class _Message(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    payment_link_id: str
    amount: int
    reference: str
    currency: str = CURRENCY
    code: str = DONE


class PayOS:
    """The adapter.

    Args:
        checksum_key: signs orders, and proves who sent an answer or a message.
    """

    name = NAME

    def __init__(
        self, *, client_id: str, api_key: str, checksum_key: str, api_url: str, clock: Clock = system_clock
    ) -> None:
        self._headers = {"x-client-id": client_id, "x-api-key": api_key}
        self._key = checksum_key.encode()
        self._caller = Caller(NAME, api_url)
        self._clock = clock

    async def dispose(self) -> None:
        await self._caller.dispose()

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        return [PaymentMethod(NAME, N_("Bank app, by QR code"))] if currency == CURRENCY else []

    async def start(self, order: PaymentOrder) -> Started:
        """Open a link, or find the one that was opened for the same payment.

        PayOS knows an order by a whole number. Ours is made of the payment's id, so a second one for the same payment
        is refused there; a link of another payment that happens to have the number is recognised by its age.
        """
        for attempt in range(CODES):
            code = order_code(order.payment_id, attempt)
            made = await self._create(order, code)
            if made is not None:
                return Started(made.payment_link_id, checkout_url=made.checkout_url)
            there = await self._find(code)
            if there is None:
                break
            if there.status not in OVER and _is_of(there, order):
                return Started(there.id, checkout_url=CHECKOUT + there.id)
        raise OrderRefused

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        """Each transfer so far, so that who pays less than was asked sees what came; and whether the link is over."""
        link = await self._find(payment.external_id)
        if link is None:
            raise ProviderUnavailable from LookupError(payment.external_id)
        events = [_paid(link.id, transfer, CURRENCY) for transfer in link.transactions if transfer.amount > 0]
        if link.status in OVER:
            events.append(
                ProviderEvent(
                    external_id=f"{link.id}:{link.status}",
                    kind="failed",
                    payment_external_id=link.id,
                    failure=link.status.lower(),
                )
            )
        return events

    async def close(self, payment: RunningPayment) -> None:
        path = f"{LINKS}/{payment.external_id}/cancel"
        cancelled = await self._ask("POST", path, {"cancellationReason": "The booking is over."})
        if cancelled is None:
            link = await self._find(payment.external_id)
            if link is None or link.status not in {*OVER, "PAID", "UNDERPAID"}:  # what has money on it stays
                raise ProviderUnavailable from RuntimeError("the link was not cancelled")

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        """The money is on the operator's own bank account already; PayOS cannot take it back from there."""
        raise RefundRefused

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        data = self._proved(body)
        if data is None:
            raise BadSignature
        try:
            message = msgspec.convert(data, _Message)
        except msgspec.ValidationError as error:
            raise UnreadableWebhook from error
        if not message.reference:
            raise UnreadableWebhook
        if message.code != DONE or message.amount <= 0:
            return ProviderEvent(external_id=f"{message.payment_link_id}:{message.reference}:other", kind="other")
        transfer = _Transfer(reference=message.reference, amount=message.amount)
        return _paid(message.payment_link_id, transfer, message.currency)

    async def _create(self, order: PaymentOrder, code: int) -> _NewLink | None:
        """A new link; `None` when PayOS refuses it."""
        expires_at = self._clock() + timedelta(seconds=order.expires_in_seconds)
        request: dict[str, Any] = {
            "orderCode": code,
            "amount": order.amount.minor,
            "description": order.reference[-LONGEST_DESCRIPTION:],
            "cancelUrl": order.return_url,
            "returnUrl": order.return_url,
        }
        signature = self._digest("&".join(f"{name}={request[name]}" for name in sorted(request)))
        unsigned = {"expiredAt": int(expires_at.timestamp()), "signature": signature}
        data = await self._ask("POST", LINKS, request | unsigned)
        return None if data is None else _read(data, _NewLink)

    async def _find(self, link: str | int) -> _Link | None:
        """A link by its id or its order code."""
        data = await self._ask("GET", f"{LINKS}/{link}")
        return None if data is None else _read(data, _Link)

    async def _ask(self, method: str, path: str, request: Data | None = None) -> Data | None:
        """The signed `data` of the answer; `None` when PayOS says no.

        Raises:
            ProviderUnavailable: no answer, or none that PayOS has signed.
        """
        answer = await self._caller.ask(method, path, headers=self._headers, json=request)
        if answer.body.get("code") != DONE:
            _note_refusal(path, answer)
            return None
        data = self._proved(answer.raw)
        if data is None:
            log.error("payos-answer-not-signed", path=path)
            raise ProviderUnavailable from BadSignature()
        return data

    def _proved(self, body: bytes) -> Data | None:
        """What an answer or a message says, if PayOS has signed it."""
        try:
            found = json.loads(body)
        except (ValueError, RecursionError):
            return None
        if not isinstance(found, dict) or not isinstance(found.get("data"), dict):
            return None
        given = str(found.get("signature", ""))
        expected = self._digest(signed_text(found["data"]))
        return found["data"] if hmac.compare_digest(expected.encode(), given.encode()) else None

    def _digest(self, text: str) -> str:
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()


def order_code(payment_id: UUID, attempt: int = 0) -> int:
    """The number by which PayOS knows a payment: positive, and of 53 bits at most, as a number is there.

    Among a million payments the odds that two have the same one are about 1 to 18,000; then the next attempt's is used.
    """
    digest = hashlib.sha256(payment_id.bytes + bytes([attempt])).digest()
    return int.from_bytes(digest[:8], "big") >> 11 or 1


def signed_text(data: Data) -> str:
    """What PayOS signs of an answer's or a message's `data`: its members by name, `a=1&b=2`, not URL-encoded.

    A member that is null is written as nothing; so is one that says "null" or "undefined".
    """
    return "&".join(f"{name}={_written(data[name])}" for name in sorted(data))


def _written(value: object) -> str:
    if value is None or value in ("null", "undefined"):
        return ""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        value = [dict(sorted(each.items())) if isinstance(each, dict) else each for each in value]
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_of(link: _Link, order: PaymentOrder) -> bool:
    """Whether a link that has a payment's number was opened for it: an older link is another payment's.

    Our ids begin with the time at which they were made, in milliseconds (RFC 9562, version 7).
    """
    milliseconds = int.from_bytes(order.payment_id.bytes[:6], "big")
    began_at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return link.amount == order.amount.minor and link.created_at > began_at - CLOCKS_DIFFER


def _paid(link_id: str, transfer: _Transfer, currency: str) -> ProviderEvent:
    """The same for the message about a transfer and for the transfer when it is asked for."""
    charge_id = f"{link_id}:{transfer.reference}"
    return ProviderEvent(
        external_id=charge_id,
        kind="paid",
        payment_external_id=link_id,
        charge_id=charge_id,
        amount_minor=transfer.amount,
        currency=currency,
    )


def _read(data: Data, kind: type[Any]) -> Any:
    try:
        return msgspec.convert(data, kind)
    except msgspec.ValidationError as error:
        log.exception("payos-answer-unreadable")
        raise ProviderUnavailable from error


def _note_refusal(path: str, answer: Answer) -> None:
    said = answer.body
    log.warning("payos-refused", path=path, status=answer.status, code=said.get("code"), reason=said.get("desc"))
