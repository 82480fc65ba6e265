"""Stripe's checkout as its documents describe it: strict about what it is asked, and slow to forget an answer.

localstripe, which others wrote, has no checkouts, ignores idempotency keys, and gives back more than was paid.
"""

import json
import re
import time
from collections.abc import Mapping
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import stripe
from tests.payments.adapters.loopback import Asked

KEY = "sk_test_farebox"
WEBHOOK_SECRET = "whsec_farebox"
PAGE = "/c/pay/"

LINE = {
    "quantity": int,
    "price_data": {"currency": str, "unit_amount": int, "product_data": {"name": str}},
}
CHECKOUT: dict[str, Any] = {
    "mode": str,
    "line_items": {"0": LINE},
    "client_reference_id": str,
    "metadata": dict,
    "payment_intent_data": {"metadata": dict, "description": str},
    "adaptive_pricing": {"enabled": str},
    "excluded_payment_method_types": dict,
    "success_url": str,
    "cancel_url": str,
    "expires_at": int,
    "locale": str,
}
REFUND: dict[str, Any] = {"payment_intent": str, "amount": int, "metadata": dict}
LOCALES = {"auto", "de", "en", "fr", "vi"}
OFFERED = {"card", "link", "sepa_debit", "boleto", "oxxo"}
"""What this account has turned on."""

THREE_DECIMALS = {"bhd", "jod", "kwd", "omr", "tnd"}
HALF_AN_HOUR, A_DAY = 1800, 86_400


class Refusal(Exception):
    def __init__(self, status: int, message: str, *, code: str | None = None, kind: str = "invalid_request_error"):
        super().__init__(message)
        self.status = status
        self.error = {"type": kind, "message": message, "code": code}


class StripeDouble:
    """What a test sees of it.

    Attributes:
        sessions, intents, refunds, disputes: by id.
        events: what it would send, the oldest first. `send` takes them.
        answers: idempotency key -> what was asked, and what was answered.
        says: when set, this is the answer to everything: status and body.
        refund_status: what a new refund is.
        asked: method and path of each request, without its query.
    """

    def __init__(self) -> None:
        self.url = ""
        self.sessions: dict[str, dict[str, Any]] = {}
        self.intents: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.disputes: dict[str, dict[str, Any]] = {}
        self.events: list[dict[str, Any]] = []
        self.answers: dict[str, tuple[tuple[str, bytes], tuple[int, object]]] = {}
        self.says: tuple[int, object] | None = None
        self.refund_status = "succeeded"
        self.asked: list[tuple[str, str]] = []
        self._numbers = count(1)

    def answer(self, asked: Asked) -> tuple[int, object]:
        address = urlsplit(asked.path)
        self.asked.append((asked.method, address.path))
        if self.says is not None:
            return self.says
        if address.path.startswith(PAGE):  # a traveller's browser, and no program with a key
            self.pay(address.path.removeprefix(PAGE))
            return 200, b"Thank you"
        key = asked.headers.get("idempotency-key")
        question = (asked.path, asked.body)
        try:
            if asked.headers.get("authorization") != f"Bearer {KEY}":
                raise Refusal(401, "Invalid API Key provided")
            if key in self.answers and self.answers[key][0] != question:
                raise Refusal(400, "Keys can only be used with the same parameters.", kind="idempotency_error")
            if key in self.answers:
                return self.answers[key][1]
            form = nested(asked.body.decode() if asked.method == "POST" else address.query)
            answer: tuple[int, object] = (200, self._do(asked.method, address.path, form, key))
        except Refusal as refusal:
            return refusal.status, {"error": refusal.error}
        if key:
            self.answers[key] = question, answer
        return answer

    # What travellers and banks do

    def pay(self, session_id: str, *, by_bank: bool = False) -> None:
        """Somebody pays on the page; through a bank, the money comes later (`settle`)."""
        session = self.sessions[session_id]
        assert session["status"] == "open", "the page is closed"
        intent = self._intent(session)
        session["status"] = "complete"
        if not by_bank:
            self._succeed(session, intent)
            self._tell("payment_intent.succeeded", intent)
        self._tell("checkout.session.completed", session)

    def decline(self, session_id: str) -> None:
        """A card is declined; the page stays open."""
        intent = self._intent(self.sessions[session_id])
        intent["last_payment_error"] = {"code": "card_declined", "decline_code": "insufficient_funds", "message": "no"}
        self._tell("payment_intent.payment_failed", intent)

    def settle(self, session_id: str, *, is_paid: bool) -> None:
        """What a bank says days afterwards."""
        session = self.sessions[session_id]
        intent = self.intents[session["payment_intent"]]
        if is_paid:
            self._succeed(session, intent)
            self._tell("checkout.session.async_payment_succeeded", session)
        else:
            intent |= {"status": "requires_payment_method", "last_payment_error": {"code": "payment_intent_failed"}}
            self._tell("checkout.session.async_payment_failed", session)

    def end_refund(self, refund_id: str, status: str) -> None:
        refund = self.refunds[refund_id]
        refund |= {"status": status, "failure_reason": "expired_or_canceled_card" if status == "failed" else None}
        self._tell("refund.failed" if status == "failed" else "refund.updated", refund)

    def dispute(self, intent_id: str, status: str = "needs_response") -> str:
        intent = self.intents[intent_id]
        dispute = self._new("du", "dispute", self.disputes) | {
            "amount": intent["amount"],
            "currency": intent["currency"],
            "payment_intent": intent_id,
            "charge": "ch_1",
            "reason": "fraudulent",
            "status": status,
        }
        self.disputes[dispute["id"]] = dispute
        self._tell("charge.dispute.created", dispute)
        return str(dispute["id"])

    def close_dispute(self, dispute_id: str, status: str) -> None:
        self.disputes[dispute_id]["status"] = status
        self._tell("charge.dispute.closed", self.disputes[dispute_id])

    def send(self) -> list[tuple[dict[str, str], bytes]]:
        """The messages so far, signed by Stripe's own library; each once."""
        sent = [signed(event) for event in self.events]
        self.events.clear()
        return sent

    # What programs ask

    def _do(self, method: str, path: str, form: dict[str, Any], key: str | None) -> object:
        match [method, *path.strip("/").split("/")]:
            case ["POST", "v1", "checkout", "sessions"]:
                return self._open(form, key)
            case ["GET", "v1", "checkout", "sessions", session_id]:
                session = self._known(self.sessions, session_id)
                intent = self.intents.get(session["payment_intent"] or "")
                return session | ({"payment_intent": intent} if form.get("expand") else {})
            case ["POST", "v1", "checkout", "sessions", session_id, "expire"]:
                return self._expire(self._known(self.sessions, session_id))
            case ["POST", "v1", "refunds"]:
                return self._refund(form, key)
            case ["GET", "v1", ("refunds" | "disputes") as kind]:
                rows = self.refunds if kind == "refunds" else self.disputes
                of = self._known(self.intents, form["payment_intent"])["id"]
                found = [row for row in rows.values() if row["payment_intent"] == of]
                return {"object": "list", "url": path, "has_more": False, "data": found[::-1]}
        raise Refusal(404, f"Unrecognized request URL ({method}: {path}).")

    def _open(self, form: dict[str, Any], key: str | None) -> dict[str, Any]:
        check(form, CHECKOUT)
        price = form["line_items"]["0"]["price_data"]
        amount, currency, ends = int(price["unit_amount"]), price["currency"], int(form["expires_at"])
        if not key:
            raise Refusal(400, "a checkout without an idempotency key: this double wants one")
        if currency != currency.lower() or currency == "xts":
            raise Refusal(400, f"Invalid currency: {currency}", code="parameter_invalid")
        if amount < 50 or (currency in THREE_DECIMALS and amount % 10):
            raise Refusal(400, "Invalid amount", code="amount_too_small")
        if not HALF_AN_HOUR - 5 <= ends - time.time() <= A_DAY:
            raise Refusal(400, "The `expires_at` timestamp must be between 30 minutes and 24 hours from now.")
        if not all(re.match(r"https?://[^/]+", form[url]) for url in ("success_url", "cancel_url")):
            raise Refusal(400, "Not a valid URL", code="url_invalid")
        if form["mode"] != "payment" or form["locale"] not in LOCALES or form["line_items"]["0"]["quantity"] != "1":
            raise Refusal(400, "Invalid parameter")
        session = self._new("cs_test", "checkout.session", self.sessions) | {
            "amount_subtotal": amount,
            "amount_total": amount,
            "currency": currency,
            "status": "open",
            "payment_status": "unpaid",
            "payment_intent": None,
            "metadata": form["metadata"],
            "client_reference_id": form["client_reference_id"],
            "success_url": form["success_url"],
            "expires_at": ends,
            "payment_method_types": sorted(OFFERED - set(form["excluded_payment_method_types"].values())),
            "_of_intent": form["payment_intent_data"]["metadata"],
        }
        session["url"] = f"{self.url}{PAGE}{session['id']}"
        self.sessions[session["id"]] = session
        return session

    def _expire(self, session: dict[str, Any]) -> dict[str, Any]:
        if session["status"] != "open":
            raise Refusal(400, 'Only Checkout Sessions with a status in ["open"] can be expired.')
        session["status"] = "expired"
        self._tell("checkout.session.expired", session)
        return session

    def _refund(self, form: dict[str, Any], key: str | None) -> dict[str, Any]:
        check(form, REFUND)
        intent, amount = self._known(self.intents, form["payment_intent"]), int(form["amount"])
        if not key:
            raise Refusal(400, "a refund without an idempotency key: this double wants one")
        if any(dispute["payment_intent"] == intent["id"] for dispute in self.disputes.values()):
            raise Refusal(400, "This charge has been charged back.", code="charge_disputed")
        gone = sum(
            row["amount"]
            for row in self.refunds.values()
            if row["payment_intent"] == intent["id"] and row["status"] != "failed"
        )
        if intent["status"] != "succeeded" or gone >= intent["amount"]:
            raise Refusal(400, "Charge has already been refunded.", code="charge_already_refunded")
        if amount <= 0 or gone + amount > intent["amount"]:
            raise Refusal(400, "Refund amount is greater than unrefunded amount on charge")
        refund = self._new("re", "refund", self.refunds) | {
            "amount": amount,
            "currency": intent["currency"],
            "payment_intent": intent["id"],
            "charge": "ch_1",
            "metadata": form["metadata"],
            "status": self.refund_status,
            "failure_reason": None,
        }
        self.refunds[refund["id"]] = refund
        self._tell("refund.created", refund)
        self._tell("charge.refunded", {"id": "ch_1", "object": "charge", "amount_refunded": gone + amount})
        return refund

    def _intent(self, session: dict[str, Any]) -> dict[str, Any]:
        if session["payment_intent"] is None:
            intent = self._new("pi", "payment_intent", self.intents) | {
                "amount": session["amount_total"],
                "amount_received": 0,
                "currency": session["currency"],
                "metadata": session["_of_intent"],
                "status": "processing",
                "last_payment_error": None,
            }
            self.intents[intent["id"]] = intent
            session["payment_intent"] = intent["id"]
        return self.intents[session["payment_intent"]]

    def _succeed(self, session: dict[str, Any], intent: dict[str, Any]) -> None:
        intent |= {"status": "succeeded", "amount_received": intent["amount"]}
        session["payment_status"] = "paid"

    def _tell(self, kind: str, thing: Mapping[str, Any]) -> None:
        self.events.append(
            {
                "id": f"evt_{next(self._numbers)}",
                "object": "event",
                "api_version": "2026-10-28.endive",
                "created": int(time.time()),
                "livemode": False,
                "type": kind,
                "data": {"object": dict(thing)},
            }
        )

    def _new(self, prefix: str, kind: str, among: Mapping[str, Any]) -> dict[str, Any]:
        return {"id": f"{prefix}_{len(among) + 1}", "object": kind, "livemode": False, "created": int(time.time())}

    def _known(self, among: dict[str, dict[str, Any]], key: str) -> dict[str, Any]:
        if key not in among:
            raise Refusal(404, f"No such object: '{key}'", code="resource_missing")
        return among[key]


def signed(event: dict[str, Any], secret: str = WEBHOOK_SECRET, at: int | None = None) -> tuple[dict[str, str], bytes]:
    """A message as Stripe sends it: headers and body."""
    body = json.dumps(event, indent=2)
    return {"stripe-signature": stripe.WebhookSignature.generate_signature_header(body, secret, at)}, body.encode()


def nested(form: str) -> dict[str, Any]:
    """`a[b][0]=c` as {"a": {"b": {"0": "c"}}}."""
    found: dict[str, Any] = {}
    for name, value in parse_qsl(form, keep_blank_values=True):
        *path, last = re.findall(r"[^\[\]]+", name)
        place = found
        for step in path:
            place = place.setdefault(step, {})
        place[last] = value
    return found


def check(form: Mapping[str, Any], shape: Mapping[str, Any], at: str = "") -> None:
    """That all of a shape is there, in its form, and nothing else."""
    if form.keys() != shape.keys():
        raise Refusal(400, f"unknown or missing in {at or 'the form'}: {sorted(form.keys() ^ shape.keys())}")
    for name, kind in shape.items():
        if isinstance(kind, dict):
            check(form[name], kind, f"{at}[{name}]")
        elif kind is int and not re.fullmatch(r"\d+", form[name]):
            raise Refusal(400, f"Invalid integer: {at}[{name}]", code="parameter_invalid_integer")
        elif kind in {str, dict} and not (form[name] and isinstance(form[name], kind)):
            raise Refusal(400, f"Invalid {at}[{name}]")
