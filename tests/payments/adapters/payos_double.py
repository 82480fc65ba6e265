"""PayOS as its documents describe it: strict about what it is asked, and signing all that it says."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

from tests.payments.adapters.loopback import Asked

CHECKSUM_KEY = "a-checksum-key"
CLIENT_ID, API_KEY = "a-client", "an-api-key"
LARGEST_NUMBER = 2**53 - 1
"""Of JavaScript's, in which PayOS counts."""


def signature(data: dict[str, Any], key: str = CHECKSUM_KEY) -> str:
    def written(value: Any) -> str:
        if value is None:
            return ""
        if isinstance(value, list):
            return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False)
        return str(value)

    text = "&".join(f"{name}={written(value)}" for name, value in sorted(data.items()))
    return hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()


class PayOSDouble:
    """What a test sees of it.

    Attributes:
        links: by id; `asked`: what the links were made of.
        says: when set, this is the answer to everything: status and body.
    """

    def __init__(self) -> None:
        self.url = ""
        self.links: dict[str, dict[str, Any]] = {}
        self.asked: list[dict[str, Any]] = []
        self.says: tuple[int, object] | None = None

    def answer(self, asked: Asked) -> tuple[int, object]:
        if self.says is not None:
            return self.says
        if (asked.headers.get("x-client-id"), asked.headers.get("x-api-key")) != (CLIENT_ID, API_KEY):
            return 401, {"code": "401", "desc": "unauthorized"}
        match [asked.method, *asked.path.strip("/").split("/")]:
            case ["POST", "v2", "payment-requests"]:
                return 200, self._make(asked.json)
            case ["GET", "v2", "payment-requests", link]:
                found = self._find(link)
                return 200, self._signed(found) if found else {"code": "101", "desc": "no such link"}
            case ["POST", "v2", "payment-requests", link, "cancel"]:
                assert set(asked.json) == {"cancellationReason"}
                return 200, self._cancel(self._find(link))
        return 404, {"code": "404", "desc": "no such address"}

    def pay(self, link_id: str, amount: int, reference: str = "FT26324000001") -> bytes:
        """Somebody transfers money to a link: the message that PayOS sends."""
        link = self.links[link_id]
        transfer = {"reference": reference, "amount": amount, "counterAccountBankName": None, "description": "BUS"}
        link["transactions"].append(transfer)
        link["amountPaid"] += amount
        link["amountRemaining"] -= amount
        link["status"] = "PAID" if link["amountRemaining"] <= 0 else "UNDERPAID"
        return self.message(link_id, amount=amount, reference=reference)

    def message(self, link_id: str, key: str = CHECKSUM_KEY, **data: Any) -> bytes:
        known = {
            "orderCode": self.links[link_id]["orderCode"] if link_id in self.links else 123,
            "description": "BUS",
            "currency": "VND",
            "paymentLinkId": link_id,
            "code": "00",
            "desc": "success",
            "counterAccountName": None,
            "transactionDateTime": "2026-11-20 09:00:00",
        }
        data = known | data
        return json.dumps({"code": "00", "success": True, "data": data, "signature": signature(data, key)}).encode()

    def _make(self, request: dict[str, Any]) -> dict[str, Any]:
        fields = ("amount", "cancelUrl", "description", "orderCode", "returnUrl")
        assert set(request) == {*fields, "expiredAt", "signature"}
        text = "&".join(f"{name}={request[name]}" for name in fields)
        if hmac.new(CHECKSUM_KEY.encode(), text.encode(), hashlib.sha256).hexdigest() != request["signature"]:
            return {"code": "201", "desc": "signature"}
        assert type(request["amount"]) is int
        assert request["amount"] > 0
        assert type(request["orderCode"]) is int
        assert 0 < request["orderCode"] <= LARGEST_NUMBER
        assert 0 < len(request["description"]) <= 25
        assert type(request["expiredAt"]) is int
        if self._find(str(request["orderCode"])):
            return {"code": "231", "desc": "the order is there already"}
        self.asked.append(request)
        link = self.add(request["orderCode"], request["amount"])
        told = {"paymentLinkId": link["id"], "checkoutUrl": f"https://pay.payos.vn/web/{link['id']}", "qrCode": "0002"}
        return self._signed({"status": "PENDING", "amount": request["amount"], "currency": "VND", **told})

    def add(self, order_code: int, amount: int, created_at: datetime | None = None) -> dict[str, Any]:
        link = {
            "id": hashlib.md5(str(order_code).encode()).hexdigest(),
            "orderCode": order_code,
            "amount": amount,
            "amountPaid": 0,
            "amountRemaining": amount,
            "status": "PENDING",
            "createdAt": (created_at or datetime.now(UTC)).isoformat(),
            "transactions": [],
            "canceledAt": None,
            "cancellationReason": None,
        }
        self.links[str(link["id"])] = link
        return link

    def _find(self, name: str) -> dict[str, Any] | None:
        return self.links.get(name) or next((e for e in self.links.values() if str(e["orderCode"]) == name), None)

    def _cancel(self, link: dict[str, Any] | None) -> dict[str, Any]:
        if link is None or link["status"] != "PENDING":
            return {"code": "20", "desc": "it cannot be cancelled"}
        link["status"] = "CANCELLED"
        return self._signed(link)

    def _signed(self, data: dict[str, Any]) -> dict[str, Any]:
        return {"code": "00", "desc": "success", "data": data, "signature": signature(data)}
