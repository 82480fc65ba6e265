"""A passkey authenticator in software: makes keys, signs what it is asked, and can be told to misbehave."""

import base64
import hashlib
import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40


@dataclass
class Key:
    id: bytes
    sign: Callable[[bytes], bytes]
    handle: bytes


@dataclass
class Authenticator:
    """One phone with a browser on it. `count` grows with each use; `is_verified`: finger or PIN was right."""

    origin: str
    algorithm: int = -7
    count: int = 0
    is_verified: bool = True
    keys: dict[str, list[Key]] = field(default_factory=dict)

    def create(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """What `navigator.credentials.create` gives. `wrong` replaces `origin`, `rp_id` or `challenge`."""
        rp_id = wrong.get("rp_id", options["rp"]["id"])
        assert {"type": "public-key", "alg": self.algorithm} in options["pubKeyCredParams"]
        public_key, sign = self._make()
        key = Key(os.urandom(32), sign, _bytes(options["user"]["id"]))
        self.keys.setdefault(rp_id, []).append(key)
        attested = bytes(16) + len(key.id).to_bytes(2, "big") + key.id + cbor2.dumps(public_key)
        statement = {"fmt": "none", "attStmt": {}, "authData": self._data(rp_id, ATTESTED) + attested}
        return _credential(
            key.id,
            attestationObject=_text(cbor2.dumps(statement)),
            clientDataJSON=self._client_data("webauthn.create", options, wrong),
            transports=["internal", "hybrid"],
        )

    def get(self, options: dict[str, Any], **wrong: Any) -> dict[str, Any]:
        """What `navigator.credentials.get` gives."""
        rp_id = wrong.get("rp_id", options["rpId"])
        allowed = [each["id"] for each in options.get("allowCredentials", [])]
        [key] = [key for key in self.keys[options["rpId"]] if not allowed or _text(key.id) in allowed]
        self.count += 1
        data = self._data(rp_id, 0)
        client_data = self._client_data("webauthn.get", options, wrong)
        return _credential(
            key.id,
            authenticatorData=_text(data),
            clientDataJSON=client_data,
            signature=_text(key.sign(data + hashlib.sha256(_bytes(client_data)).digest())),
            userHandle=_text(wrong.get("handle", key.handle)),
        )

    def _make(self) -> tuple[dict[int, Any], Callable[[bytes], bytes]]:
        if self.algorithm == -8:
            edwards = ed25519.Ed25519PrivateKey.generate()
            raw = edwards.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
            return {1: 1, 3: -8, -1: 6, -2: raw}, edwards.sign
        private = ec.generate_private_key(ec.SECP256R1())
        point = private.public_key().public_numbers()
        public_key = {1: 2, 3: -7, -1: 1, -2: point.x.to_bytes(32, "big"), -3: point.y.to_bytes(32, "big")}
        return public_key, lambda data: private.sign(data, ec.ECDSA(hashes.SHA256()))

    def _data(self, rp_id: str, more: int) -> bytes:
        flags = PRESENT | (VERIFIED if self.is_verified else 0) | more
        return hashlib.sha256(rp_id.encode()).digest() + bytes([flags]) + self.count.to_bytes(4, "big")

    def _client_data(self, kind: str, options: dict[str, Any], wrong: dict[str, Any]) -> str:
        challenge, origin = wrong.get("challenge", options["challenge"]), wrong.get("origin", self.origin)
        return _text(json.dumps({"type": kind, "challenge": challenge, "origin": origin}).encode())


def _credential(key_id: bytes, **response: Any) -> dict[str, Any]:
    name = _text(key_id)
    return {
        "id": name,
        "rawId": name,
        "type": "public-key",
        "authenticatorAttachment": "platform",
        "response": response,
        "clientExtensionResults": {},
    }


def _text(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def _bytes(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
