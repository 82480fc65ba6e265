"""Whether a message is from PayPal, without asking PayPal about each.

PayPal signs `<transmission id>|<time>|<webhook id>|<CRC-32 of the body>` with RSA and SHA-256, and names the address of
its certificate. Everything in a forged message is the forger's, that address too: it is asked only on PayPal's own host
and below one path, over TLS, which is what makes the certificate PayPal's.
"""

import asyncio
import base64
import binascii
import re
import zlib
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256

from farebox.core.clock import Clock
from farebox.payments.adapters.calling import Caller
from farebox.payments.errors import BadSignature

OLDEST: Final = timedelta(days=4)
"""PayPal sends a message again for three days. One of that age that is played again does nothing: its id is known."""

CLOCKS_DIFFER: Final = timedelta(minutes=5)
ALGORITHM: Final = "sha256withrsa"
CERTIFICATE: Final = r"/v1/notifications/certs/CERT-[A-Za-z0-9-]{1,100}"
MOST_CERTIFICATES: Final = 10
"""That are remembered. PayPal signs with one at a time."""


class Proof:
    """Verifies messages to one webhook.

    Args:
        webhook_id: PayPal's id of our webhook, from its developers' pages.
        api_url: PayPal's; its certificates are on the same host, or on the one without `-m`.
    """

    def __init__(self, webhook_id: str, api_url: str, caller: Caller, *, clock: Clock) -> None:
        self._webhook_id = webhook_id
        self._caller = caller
        self._clock = clock
        self._known: dict[str, x509.Certificate] = {}
        self._asking = asyncio.Lock()
        parts = urlsplit(api_url)
        origins = {f"{parts.scheme}://{host}" for host in (parts.netloc, parts.netloc.replace("api-m.", "api.", 1))}
        self._address = re.compile(f"(?:{'|'.join(map(re.escape, sorted(origins)))}){CERTIFICATE}")

    async def check(self, headers: Mapping[str, str], body: bytes) -> None:
        """Nothing, if PayPal has signed it for this webhook and not long ago.

        Raises:
            BadSignature: it has not.
            ProviderUnavailable: its certificate cannot be had now.
        """
        sent, address = headers.get("paypal-transmission-time", ""), headers.get("paypal-cert-url", "")
        if headers.get("paypal-auth-algo", "").lower() != ALGORITHM or not self._address.fullmatch(address):
            raise BadSignature
        try:
            age = self._clock() - datetime.fromisoformat(sent)
            signature = base64.b64decode(headers.get("paypal-transmission-sig", ""), validate=True)
        except (ValueError, TypeError, binascii.Error):  # TypeError: a time without a zone
            raise BadSignature from None
        if not -CLOCKS_DIFFER <= age <= OLDEST:
            raise BadSignature
        key = (await self._certificate(address)).public_key()
        text = f"{headers.get('paypal-transmission-id', '')}|{sent}|{self._webhook_id}|{zlib.crc32(body)}"
        if not isinstance(key, rsa.RSAPublicKey):
            raise BadSignature
        try:
            key.verify(signature, text.encode(), padding.PKCS1v15(), SHA256())
        except InvalidSignature:
            raise BadSignature from None

    async def _certificate(self, address: str) -> x509.Certificate:
        if address not in self._known:
            async with self._asking:  # who comes meanwhile waits for the same answer
                if address not in self._known:
                    await self._learn(address)
        certificate = self._known[address]
        if not certificate.not_valid_before_utc <= self._clock() <= certificate.not_valid_after_utc:
            raise BadSignature
        return certificate

    async def _learn(self, address: str) -> None:
        answer = await self._caller.ask("GET", address)
        if not answer.is_success:
            raise BadSignature  # there is none of that name
        try:
            certificate = x509.load_pem_x509_certificates(answer.raw)[0]
        except ValueError:
            raise BadSignature from None
        if len(self._known) >= MOST_CERTIFICATES:
            self._known.pop(next(iter(self._known)))
        self._known[address] = certificate
