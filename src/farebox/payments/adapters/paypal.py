"""PayPal, by its Orders API, version 2 (developer.paypal.com/docs/api/orders/v2).

The payer agrees on PayPal's page; we take the money afterwards, when we are told of that or ask. Written on HTTP:
PayPal's own library waits in place of the event loop, knows no webhooks, and cannot be led to another host.
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from typing import Any, Final, TypeVar

import httpx
import msgspec
import structlog

from farebox.core.clock import Clock, system_clock
from farebox.core.i18n import N_
from farebox.payments.adapters.calling import Answer, Caller
from farebox.payments.adapters.paypal_messages import (
    MONEY_REFUSED,
    MONEY_TAKEN,
    REFUND_ENDED,
    REFUND_PREFIX,
    Amount,
    Order,
    Refund,
    capture_event,
    read_message,
    refund_event,
)
from farebox.payments.adapters.paypal_proof import Proof
from farebox.payments.errors import OrderRefused, ProviderUnavailable, RefundRefused
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

NAME: Final = "paypal"
ORDERS: Final = "/v2/checkout/orders"
CURRENCIES: Final = (
    *("AUD", "BRL", "CAD", "CHF", "CNY", "CZK", "DKK", "EUR", "GBP", "HKD", "HUF", "ILS"),
    *("JPY", "MXN", "MYR", "NOK", "NZD", "PHP", "PLN", "SEK", "SGD", "THB", "TWD", "USD"),
)
"""What PayPal takes (developer.paypal.com, currency codes). Not đồng."""

EARLY_SECONDS: Final = 60
"""A token is not used in its last moments."""

REFUSED: Final = frozenset({httpx.codes.BAD_REQUEST, httpx.codes.UNPROCESSABLE_ENTITY})
NOT_YET: Final = frozenset({"ORDER_NOT_APPROVED", "ORDER_COMPLETION_IN_PROGRESS", "PAYER_ACTION_REQUIRED"})
REFUND_LATER: Final = frozenset({"PENDING_CAPTURE", "REFUND_FAILED_INSUFFICIENT_FUNDS"})

Shape = TypeVar("Shape", Order, Refund)


class PayPal:
    """The adapter.

    Args:
        webhook_id: PayPal's id of our webhook, which its signatures cover.
    """

    name = NAME

    def __init__(
        self, *, client_id: str, client_secret: str, webhook_id: str, api_url: str, clock: Clock = system_clock
    ) -> None:
        self._auth = httpx.BasicAuth(client_id, client_secret)
        self._caller = Caller(NAME, api_url)
        self._proof = Proof(webhook_id, api_url, self._caller, clock=clock)
        self._token, self._token_until = "", float("-inf")
        self._asking_token = asyncio.Lock()

    async def dispose(self) -> None:
        await self._caller.dispose()

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        return [PaymentMethod(NAME, N_("PayPal"))] if currency in CURRENCIES else []

    async def start(self, order: PaymentOrder) -> Started:
        try:
            amount = Amount.of(order.amount)
        except ValueError as error:
            raise OrderRefused from error
        unit = {
            "reference_id": str(order.payment_id),
            "custom_id": str(order.payment_id),
            "description": order.reference,
            "amount": msgspec.to_builtins(amount),
        }
        context = {
            "return_url": order.return_url,
            "cancel_url": order.return_url,
            "user_action": "PAY_NOW",
            "shipping_preference": "NO_SHIPPING",
            "payment_method_preference": "IMMEDIATE_PAYMENT_REQUIRED",  # seats do not wait for an eCheck
        }
        request = {
            "intent": "CAPTURE",
            "purchase_units": [unit],
            "payment_source": {"paypal": {"experience_context": context}},
        }
        answer = await self._ask("POST", ORDERS, request, request_id=str(order.payment_id))
        if not answer.is_success:
            raise _refusal("order", answer, OrderRefused)
        made = _read(answer, Order)
        page = next((link.href for link in made.links if link.rel in {"payer-action", "approve"}), None)
        if page is None:
            raise ProviderUnavailable from LookupError("no page for the payer")
        return Started(made.id, checkout_url=page)

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        """What became of the order. Where the payer has agreed and it is still wanted, the money is taken first."""
        answer = await self._ask("GET", f"{ORDERS}/{payment.external_id}")
        if answer.status == httpx.codes.NOT_FOUND:  # PayPal forgets orders that nobody agreed to
            return [_failed(payment.external_id, "expired")]
        order = _read_success(answer, Order)
        if order.status == "APPROVED" and payment.is_wanted:
            answer = await self._capture(order)
            refusal = _issue(answer)
            if refusal in NOT_YET:
                return []
            if refusal and refusal != "ORDER_ALREADY_CAPTURED":
                return [_failed(order.id, refusal.lower(), at=order.update_time)]
            if refusal:
                answer = await self._ask("GET", f"{ORDERS}/{payment.external_id}")
            order = _read_success(answer, Order)
        if order.status == "VOIDED":
            return [_failed(order.id, "voided")]
        try:
            return _events_of(order)
        except ValueError as error:  # a currency that nobody knows
            raise ProviderUnavailable from error

    async def close(self, payment: RunningPayment) -> None:
        """Nothing: PayPal cannot take an order back, but no money moves unless we take it."""

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        try:
            amount = Amount.of(order.amount)
        except ValueError as error:
            raise RefundRefused from error
        request = {"amount": msgspec.to_builtins(amount), "custom_id": f"{REFUND_PREFIX}{order.refund_id}"}
        path = f"/v2/payments/captures/{order.charge_external_id}/refund"
        answer = await self._ask("POST", path, request, request_id=str(order.refund_id))
        if _issue(answer) in REFUND_LATER:
            raise ProviderUnavailable from RuntimeError(_issue(answer))
        if not answer.is_success:
            raise _refusal("refund", answer, RefundRefused)
        refund = _read(answer, Refund)
        if refund.status in {"FAILED", "CANCELLED"}:
            raise RefundRefused from RuntimeError(refund.status)
        return RefundAnswer(refund.id, is_final=refund.status == "COMPLETED")

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        await self._proof.check(headers, body)
        return read_message(body)

    async def _capture(self, order: Order) -> Answer:
        """Take the money. The key is another one once the payer has been back, to pay in another way."""
        key = f"capture-{order.id}-{order.update_time}"
        return await self._ask("POST", f"{ORDERS}/{order.id}/capture", {}, request_id=key)

    async def _ask(
        self, method: str, path: str, request: Mapping[str, Any] | None = None, *, request_id: str = ""
    ) -> Answer:
        """One question, with our credential; once more where PayPal has ended that before its time.

        Raises:
            ProviderUnavailable: no answer, or none that concerns the question.
        """
        headers = {"Prefer": "return=representation"} | ({"PayPal-Request-Id": request_id} if request_id else {})
        for _ in range(2):
            token = await self._access_token()
            answer = await self._caller.ask(
                method, path, headers=headers | {"Authorization": f"Bearer {token}"}, json=request
            )
            if answer.status != httpx.codes.UNAUTHORIZED:
                return answer
            self._token_until = float("-inf")
        raise ProviderUnavailable from PermissionError("PayPal refuses our credential")

    async def _access_token(self) -> str:
        async with self._asking_token:
            if time.monotonic() >= self._token_until:
                form = {"grant_type": "client_credentials"}
                answer = await self._caller.ask("POST", "/v1/oauth2/token", auth=self._auth, data=form)
                token, seconds = answer.body.get("access_token"), answer.body.get("expires_in")
                if not answer.is_success or not isinstance(token, str) or not isinstance(seconds, int):
                    log.error("paypal-gives-no-token", status=answer.status, reason=answer.body.get("error"))
                    raise ProviderUnavailable from PermissionError("no token")
                self._token, self._token_until = token, time.monotonic() + seconds - EARLY_SECONDS
        return self._token


def _events_of(order: Order) -> list[ProviderEvent]:
    events = []
    for capture in order.captures:
        external_id = f"{capture.id}:{capture.status}"
        if capture.status in MONEY_TAKEN:
            events.append(capture_event("paid", capture, f"{capture.id}:taken", order_id=order.id))
        elif capture.status in MONEY_REFUSED:
            events.append(capture_event("failed", capture, external_id, order_id=order.id))
    events += [
        refund_event("refunded", refund, f"{refund.id}:{refund.status}", order_id=order.id)
        for refund in order.refunds
        if refund.status in REFUND_ENDED
    ]
    return events


def _failed(order_id: str, failure: str, *, at: str = "") -> ProviderEvent:
    """That an order came to nothing; `at`: when it was last changed, if it can be paid yet and so fail again."""
    return ProviderEvent(
        external_id=f"{order_id}:{failure}:{at}", kind="failed", payment_external_id=order_id, failure=failure
    )


def _issue(answer: Answer) -> str:
    """PayPal's word for why not; empty where it did what was asked, or the reason is not the question."""
    if answer.status not in REFUSED:
        return ""
    details = answer.body.get("details")
    first = details[0] if isinstance(details, list) and details else {}
    return str(first.get("issue", "")) if isinstance(first, dict) else ""


def _refusal(what: str, answer: Answer, refused: type[Exception]) -> Exception:
    """What to raise: the refusal, where asking again would bring it again."""
    issue = _issue(answer) or str(answer.body.get("name", ""))
    log.warning("paypal-refused", what=what, status=answer.status, issue=issue, debug_id=answer.body.get("debug_id"))
    is_for_good = answer.status in REFUSED or answer.status == httpx.codes.NOT_FOUND
    error: Exception = refused() if is_for_good else ProviderUnavailable()
    error.__cause__ = RuntimeError(f"{answer.status} {issue}")
    return error


def _read_success(answer: Answer, shape: type[Shape]) -> Shape:
    if not answer.is_success:
        raise ProviderUnavailable from RuntimeError(f"{answer.status} {_issue(answer)}")
    return _read(answer, shape)


def _read(answer: Answer, shape: type[Shape]) -> Shape:
    try:
        return msgspec.json.decode(answer.raw, type=shape)
    except msgspec.DecodeError as error:
        log.exception("paypal-answer-unreadable")
        raise ProviderUnavailable from error
