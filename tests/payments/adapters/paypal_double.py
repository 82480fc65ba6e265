"""PayPal as its documents describe it: strict about bodies, credentials and request ids, and signing what it sends."""

import base64
import json
import zlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema_rs
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID
from tests.payments.adapters.loopback import Asked

SCHEMAS = json.loads((Path(__file__).parent / "paypal_schemas.json").read_text())
ORDER, REFUND = (jsonschema_rs.validator_for(SCHEMAS[name], validate_formats=True) for name in ("order", "refund"))
CLIENT_ID, CLIENT_SECRET, WEBHOOK_ID = "a-client", "a-secret", "8PT597110X687430LKGECATA"
BASIC = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
CERTIFICATES = "/v1/notifications/certs/"
CERTIFICATE = CERTIFICATES + "CERT-360caa42-fca2a594-1d93a270"
KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
DAY = timedelta(days=1)
WHOLE_ONLY = {"HUF", "JPY", "TWD"}


def certificate(*, began: timedelta = DAY, ends: timedelta = DAY) -> bytes:
    """Of `KEY`, in PEM, valid since `began` ago and for `ends` from now."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "messageverificationcerts.paypal.com")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(1)
        .not_valid_before(now - began)
        .not_valid_after(now + ends)
        .sign(KEY, SHA256())
    )
    return made.public_bytes(Encoding.PEM)


CURRENT = certificate()


class PayPalDouble:
    """What a test sees of it.

    Attributes:
        orders, captures: by id; `created`: the bodies of orders, `asked`: (method, path) of each request.
        tokens: the credentials that it has given out; the last one is good.
        issue: when set, captures and refunds are refused for this reason.
        certificates: path -> PEM.
        refund_status: what new refunds are.
    """

    def __init__(self) -> None:
        self.url = ""
        self.orders: dict[str, dict[str, Any]] = {}
        self.captures: dict[str, dict[str, Any]] = {}
        self.created: list[dict[str, Any]] = []
        self.asked: list[tuple[str, str]] = []
        self.tokens: list[str] = []
        self.issue = ""
        self.refund_status = "COMPLETED"
        self.certificates = {CERTIFICATE: CURRENT}
        self._done: dict[str, tuple[int, object]] = {}

    def answer(self, asked: Asked) -> tuple[int, object]:
        self.asked.append((asked.method, asked.path))
        if asked.path.startswith(CERTIFICATES):
            found = self.certificates.get(asked.path)
            return (200, found) if found else (404, {"name": "RESOURCE_NOT_FOUND"})
        if asked.path == "/v1/oauth2/token":
            return self._token(asked)
        if asked.headers.get("authorization") != f"Bearer {self.tokens[-1]}":
            return 401, {"name": "AUTHENTICATION_FAILURE"}
        if asked.method == "GET":
            return self._order(asked.path)
        request_id = asked.headers["paypal-request-id"]
        assert 0 < len(request_id) <= 108
        assert asked.headers["prefer"] == "return=representation"
        key = f"{asked.path} {request_id}"
        if key not in self._done:
            answer = self._do(asked)
            if answer[0] >= 300:
                return answer
            self._done[key] = answer
        return self._done[key]

    def forget_tokens(self) -> None:
        self.tokens.append("another")

    def agree(self, order_id: str) -> None:
        """The payer agrees on PayPal's page."""
        self.orders[order_id] |= {"status": "APPROVED", "update_time": f"2026-11-20T09:00:{len(self.asked):02}Z"}

    def message(self, event_type: str, resource: dict[str, Any], *, event_id: str = "WH-1") -> bytes:
        event = {"id": event_id, "event_version": "1.0", "event_type": event_type, "resource": resource}
        return json.dumps(event | {"create_time": "2026-11-20T09:00:00Z", "links": []}).encode()

    def sign(self, body: bytes, *, at: datetime | None = None, webhook_id: str = WEBHOOK_ID) -> dict[str, str]:
        """The headers with which it sends `body`, by lower-case name."""
        sent = (at or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")
        text = f"69cd13f0-d67a-11e5-baa3-778b53f4ae55|{sent}|{webhook_id}|{zlib.crc32(body)}"
        signature = KEY.sign(text.encode(), padding.PKCS1v15(), SHA256())
        return {
            "paypal-transmission-id": "69cd13f0-d67a-11e5-baa3-778b53f4ae55",
            "paypal-transmission-time": sent,
            "paypal-transmission-sig": base64.b64encode(signature).decode(),
            "paypal-cert-url": self.url + CERTIFICATE,
            "paypal-auth-algo": "SHA256withRSA",
        }

    def _token(self, asked: Asked) -> tuple[int, object]:
        if asked.headers.get("authorization") != BASIC or asked.body != b"grant_type=client_credentials":
            return 401, {"error": "invalid_client"}
        self.tokens.append(f"token-{len(self.tokens)}")
        return 200, {"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 32400}

    def _order(self, path: str) -> tuple[int, object]:
        order = self.orders.get(path.rpartition("/")[2])
        return (200, order) if order else (404, {"name": "RESOURCE_NOT_FOUND"})

    def _do(self, asked: Asked) -> tuple[int, object]:
        match asked.path.strip("/").split("/"):
            case ["v2", "checkout", "orders"]:
                return self._create(asked.json)
            case ["v2", "checkout", "orders", order_id, "capture"]:
                assert asked.json == {}
                return self._capture(self.orders[order_id])
            case ["v2", "payments", "captures", capture_id, "refund"]:
                return self._refund(self.captures[capture_id], asked.json)
        return 404, {"name": "RESOURCE_NOT_FOUND"}

    def _create(self, body: dict[str, Any]) -> tuple[int, object]:
        ORDER.validate(body)
        [unit] = body["purchase_units"]
        value, currency = unit["amount"]["value"], unit["amount"]["currency_code"]
        if "." in value and currency in WHOLE_ONLY:
            return _refused("DECIMALS_NOT_SUPPORTED")
        if currency == "VND":
            return _refused("CURRENCY_NOT_SUPPORTED")
        self.created.append(body)
        order_id = f"5O190127TN36471{len(self.orders):02}"
        page = {"href": f"https://www.sandbox.paypal.com/checkoutnow?token={order_id}", "rel": "payer-action"}
        links = [{"href": f"{self.url}/v2/checkout/orders/{order_id}", "rel": "self", "method": "GET"}, page]
        order = {"id": order_id, "status": "PAYER_ACTION_REQUIRED", "purchase_units": [dict(unit)], "links": links}
        self.orders[order_id] = order
        return 200, order

    def _capture(self, order: dict[str, Any]) -> tuple[int, object]:
        if self.issue:
            return _refused(self.issue)
        if order["status"] == "COMPLETED":
            return _refused("ORDER_ALREADY_CAPTURED")
        if order["status"] != "APPROVED":
            return _refused("ORDER_NOT_APPROVED")
        [unit] = order["purchase_units"]
        capture = {
            "id": f"3C679366HH90899{len(self.captures):02}",
            "status": "COMPLETED",
            "amount": unit["amount"],
            "custom_id": unit["custom_id"],
            "final_capture": True,
            "supplementary_data": {"related_ids": {"order_id": order["id"]}},
        }
        self.captures[str(capture["id"])] = capture
        order["status"] = "COMPLETED"
        unit["payments"] = {"captures": [capture]}
        return 201, json.loads(json.dumps(order))

    def _refund(self, capture: dict[str, Any], body: dict[str, Any]) -> tuple[int, object]:
        REFUND.validate(body)
        if self.issue:
            return _refused(self.issue)
        refunded = capture.setdefault("refunded", 0.0) + float(body["amount"]["value"])
        if refunded > float(capture["amount"]["value"]):
            return _refused("REFUND_AMOUNT_EXCEEDED")
        capture["refunded"] = refunded
        return 201, self.refund(capture["id"], status=self.refund_status, **body)

    def refund(self, capture_id: str, **facts: Any) -> dict[str, Any]:
        """A refund of a capture, as answers, messages and its order show it."""
        up = {"href": f"{self.url}/v2/payments/captures/{capture_id}", "rel": "up", "method": "GET"}
        made = {"id": "1JU08902781691411", "links": [up], **facts}
        for order in self.orders.values():
            for unit in order["purchase_units"]:
                taken = unit.get("payments", {})
                if any(capture["id"] == capture_id for capture in taken.get("captures", [])):
                    taken.setdefault("refunds", []).append(made)
        return made


def _refused(issue: str) -> tuple[int, object]:
    return 422, {"name": "UNPROCESSABLE_ENTITY", "details": [{"issue": issue}], "debug_id": "90957fca61718"}
