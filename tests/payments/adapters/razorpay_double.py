"""Razorpay as its documents describe it: strict about what it is asked, and unforgiving about references."""

import base64
import hashlib
import hmac
import json
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.payments.adapters.loopback import Asked

KEY_ID, KEY_SECRET, WEBHOOK_SECRET = "rzp_test_farebox", "a-key-secret", "a-webhook-secret"
PAGE = "/i/"

LINK = {
    "amount": int,
    "currency": str,
    "accept_partial": bool,
    "reference_id": str,
    "description": str,
    "expire_by": int,
    "notify": dict,
    "reminder_enable": bool,
    "notes": dict,
    "callback_url": str,
    "callback_method": str,
}
REFUND = {"amount": int, "speed": str, "receipt": str, "notes": dict}
QUARTER_OF_AN_HOUR = 900
SHORTEST_KEY = 10


class Refusal(Exception):
    def __init__(self, status: int, description: str) -> None:
        super().__init__(description)
        self.status, self.description = status, description


class RazorpayDouble:
    """What a test sees of it.

    Attributes:
        links, payments, refunds: by id.
        sent: the messages so far, as event and body; `send` takes them.
        keys: idempotency key of a refund -> what was asked, and the refund.
        says: when set, this is the answer to everything: status and body.
        refund_status: what a new refund is.
        filters: whether lists of links keep to a reference; in some modes they do not.
    """

    def __init__(self) -> None:
        self.url = ""
        self.links: dict[str, dict[str, Any]] = {}
        self.payments: dict[str, dict[str, Any]] = {}
        self.refunds: dict[str, dict[str, Any]] = {}
        self.sent: list[bytes] = []
        self.keys: dict[str, tuple[Any, dict[str, Any]]] = {}
        self.says: tuple[int, object] | None = None
        self.refund_status = "processed"
        self.filters = True

    def answer(self, asked: Asked) -> tuple[int, object]:
        if self.says is not None:
            return self.says
        if asked.path.startswith(PAGE):  # a traveller's browser, and no program with a key
            self.pay(asked.path.removeprefix(PAGE))
            return 200, b"Thank you"
        basic = base64.b64encode(f"{KEY_ID}:{KEY_SECRET}".encode()).decode()
        try:
            if asked.headers.get("authorization") != f"Basic {basic}":
                raise Refusal(401, "Authentication failed")
            return 200, self._do(asked)
        except Refusal as refusal:
            code = "BAD_REQUEST_ERROR"  # whatever the status is
            return refusal.status, {"error": {"code": code, "description": refusal.description, "reason": None}}

    # What travellers and banks do

    def pay(self, link_id: str) -> str:
        """Somebody pays on the page."""
        link = self.links[link_id]
        assert link["status"] == "created", "the page is closed"
        payment = self._try(link, "captured")
        link |= {"status": "paid", "amount_paid": link["amount"]}
        link["payments"] = [{"payment_id": payment["id"], "amount": payment["amount"], "status": "captured"}]
        self._tell("payment.captured", payment=payment)
        self._tell("payment_link.paid", payment_link=link, payment=payment)
        return str(payment["id"])

    def decline(self, link_id: str) -> None:
        """A payment fails; the page stays open."""
        self._tell("payment.failed", payment=self._try(self.links[link_id], "failed"))

    def expire(self, link_id: str) -> None:
        self.links[link_id]["status"] = "expired"
        self._tell("payment_link.expired", payment_link=self.links[link_id])

    def end_refund(self, refund_id: str, status: str) -> None:
        refund = self.refunds[refund_id]
        refund["status"] = status
        self._tell(f"refund.{status}", refund=refund, payment=self.payments[refund["payment_id"]])

    def dispute(self, payment_id: str, step: str) -> None:
        payment = self.payments[payment_id]
        dispute = {"id": "disp_1", "entity": "dispute", "payment_id": payment_id, "phase": "chargeback"}
        dispute |= {"amount": payment["amount"], "currency": payment["currency"], "status": "open"}
        self._tell(f"payment.dispute.{step}", payment=payment, dispute=dispute)

    def send(self) -> list[tuple[dict[str, str], bytes]]:
        """The messages so far, signed; each once."""
        sent = [(signature(body), body) for body in self.sent]
        self.sent.clear()
        return sent

    # What programs ask

    def _do(self, asked: Asked) -> object:
        address = urlsplit(asked.path)
        query = {name: values[0] for name, values in parse_qs(address.query).items()}
        match [asked.method, *address.path.strip("/").split("/")]:
            case ["POST", "v1", "payment_links"]:
                return self._make(asked.json)
            case ["GET", "v1", "payment_links"]:
                links = list(self.links.values())
                wanted = query["reference_id"] if self.filters else None
                return {"payment_links": [x for x in links if wanted in {None, x["reference_id"]}]}
            case ["GET", "v1", "payment_links", link_id]:
                return self._link(link_id)
            case ["POST", "v1", "payment_links", link_id, "cancel"]:
                return self._cancel(self._link(link_id))
            case ["GET", "v1", "payments", payment_id, "refunds"]:
                found = [x for x in self.refunds.values() if x["payment_id"] == self._payment(payment_id)["id"]]
                return {"entity": "collection", "count": len(found), "items": found}
            case ["POST", "v1", "payments", payment_id, "refund"]:
                return self._refund(self._payment(payment_id), asked)
        raise Refusal(400, "The requested URL was not found on the server.")

    def _make(self, form: dict[str, Any]) -> dict[str, Any]:
        check(form, LINK)
        if form["amount"] < 100:
            raise Refusal(400, "amount: amount should be minimum 1.00 for INR")
        if len(form["reference_id"]) > 40 or form["callback_method"] != "get" or form["currency"] != "INR":
            raise Refusal(400, "wrong input field")
        if form["expire_by"] <= time.time() + QUARTER_OF_AN_HOUR:
            raise Refusal(400, "expire_by should be at least 15 minutes after current time")
        if any(link["reference_id"] == form["reference_id"] for link in self.links.values()):
            raise Refusal(400, f"payment link with given reference_id: {form['reference_id']} already exists.")
        link = form | {
            "id": f"plink_{len(self.links) + 1}",
            "status": "created",
            "short_url": f"{self.url}{PAGE}plink_{len(self.links) + 1}",
            "amount_paid": 0,
            "payments": None,
            "user_id": "",
        }
        self.links[link["id"]] = link
        return link

    def _cancel(self, link: dict[str, Any]) -> dict[str, Any]:
        if link["status"] != "created":
            raise Refusal(400, f"cannot cancel or expire an already {link['status']} link")
        link["status"] = "cancelled"
        self._tell("payment_link.cancelled", payment_link=link)
        return link

    def _refund(self, payment: dict[str, Any], asked: Asked) -> dict[str, Any]:
        form: dict[str, Any] = asked.json
        key = asked.headers.get("x-refund-idempotency", "")
        check(form, REFUND)
        if len(key) < SHORTEST_KEY or not key.replace("-", "").replace("_", "").isalnum():
            raise Refusal(400, "The idempotency key must be at least 10 characters long.")
        if key in self.keys:
            known, refund = self.keys[key]
            if known != form:
                raise Refusal(409, "Different request with the same idempotency key has already been processed.")
            return refund
        gone = sum(
            x["amount"] for x in self.refunds.values() if x["payment_id"] == payment["id"] and x["status"] != "failed"
        )
        if gone >= payment["amount"]:
            raise Refusal(400, "The payment has been fully refunded already.")
        if gone + form["amount"] > payment["amount"]:
            raise Refusal(400, "The refund amount provided is greater than amount captured.")
        refund = form | {
            "id": f"rfnd_{len(self.refunds) + 1}",
            "entity": "refund",
            "currency": payment["currency"],
            "payment_id": payment["id"],
            "status": self.refund_status,
        }
        self.refunds[refund["id"]] = refund
        self.keys[key] = form, refund
        self._tell("refund.created", refund=refund, payment=payment)
        return refund

    def _try(self, link: dict[str, Any], status: str) -> dict[str, Any]:
        payment = {
            "id": f"pay_{len(self.payments) + 1}",
            "entity": "payment",
            "amount": link["amount"],
            "currency": link["currency"],
            "status": status,
            "captured": status == "captured",
            "notes": link["notes"] or [],
        }
        self.payments[payment["id"]] = payment
        return payment

    def _tell(self, event: str, **things: dict[str, Any]) -> None:
        message = {
            "entity": "event",
            "account_id": "acc_1",
            "event": event,
            "contains": sorted(things),
            "payload": {name: {"entity": thing} for name, thing in things.items()},
            "created_at": int(time.time()),
        }
        self.sent.append(json.dumps(message).encode())

    def _link(self, link_id: str) -> dict[str, Any]:
        if link_id not in self.links:
            raise Refusal(400, "The id provided does not exist")
        return self.links[link_id]

    def _payment(self, payment_id: str) -> dict[str, Any]:
        if payment_id not in self.payments:
            raise Refusal(400, f"{payment_id} is not a valid id.")
        return self.payments[payment_id]


def signature(body: bytes, secret: str = WEBHOOK_SECRET) -> dict[str, str]:
    return {"x-razorpay-signature": hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}


def check(form: dict[str, Any], shape: dict[str, type]) -> None:
    """That all of a shape is there, in its form, and nothing else."""
    if form.keys() != shape.keys():
        raise Refusal(400, f"{sorted(form.keys() ^ shape.keys())} is/are not required and should not be sent.")
    for name, kind in shape.items():
        if type(form[name]) is not kind or form[name] == "":
            raise Refusal(400, f"{name}: wrong input field")
