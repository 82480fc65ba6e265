"""OpenID Connect: who somebody is, as another provider says (authorization code with PKCE; OpenID Connect Core 1.0).

All of it is asked of the provider's discovery document, whose address is a setting. Everything here goes over the
network, so nothing here belongs inside a transaction.
"""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import quote, urlencode, urlsplit

import httpx
import jwt
import structlog

from farebox.accounts.factor_errors import (
    ProviderDenied,
    ProviderEmailUnverified,
    ProviderRefused,
    ProviderUnreachable,
    UnknownProvider,
)
from farebox.accounts.oidc_providers import Provider, is_safe
from farebox.core.tls import authorities

log = structlog.get_logger("farebox.accounts")

PATIENCE_SECONDS: Final = 8.0
"""How long a provider may take for one answer; somebody is waiting."""

FRESH_SECONDS: Final = 3600.0
KEYS_AGAIN_SECONDS: Final = 30.0
"""Keys are asked for again when a token names one that we do not know, but not more often than this."""

LEEWAY_SECONDS: Final = 60
AGAIN_SECONDS: Final = 600
"""Who is to prove anew who they are has done so at most this long ago, where the provider says when."""

ALGORITHMS: Final = ("RS256", "ES256", "EdDSA")
LARGEST_ANSWER: Final = 200_000
LONGEST_SUBJECT: Final = 255
LONGEST_EMAIL: Final = 254
SCOPES: Final = "openid email profile"


@dataclass(frozen=True, slots=True, repr=False)
class Handshake:
    """What ties the answer to the question. No `repr`: all of it is secret until it was used.

    Attributes:
        state: goes to the provider and comes back by way of the browser.
        nonce: goes to the provider and comes back inside the signed token.
        verifier: stays here until the code is redeemed; the provider was shown its digest (RFC 7636).
    """

    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True, repr=False)
class Claims:
    """What a provider says of somebody; the address is verified by it."""

    provider: str
    issuer: str
    subject: str
    email: str
    first_name: str
    last_name: str


@dataclass(slots=True)
class _Known:
    """What a provider publishes about itself, and until when we believe it."""

    metadata: dict[str, Any]
    until: float
    keys: list[dict[str, Any]] = field(default_factory=list)
    keys_at: float = float("-inf")
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)


class OidcClient:
    """Asks the providers that are configured.

    Args:
        providers: by name.
    """

    def __init__(self, providers: Mapping[str, Provider]) -> None:
        self.providers = dict(providers)
        self._known: dict[str, _Known] = {}
        self._http: httpx.AsyncClient | None = None

    def provider(self, name: str) -> Provider:
        """Raises: UnknownProvider."""
        if name not in self.providers:
            raise UnknownProvider
        return self.providers[name]

    async def dispose(self) -> None:
        if self._http is not None:
            await self._http.aclose()

    async def authorization_url(self, name: str, handshake: Handshake, *, redirect_uri: str, again: bool) -> str:
        """Where the browser goes to sign in.

        Args:
            again: the person is to prove who they are now, not only that they are signed in there.

        Raises:
            UnknownProvider, ProviderUnreachable.
        """
        provider = self.provider(name)
        known = await self._learn(provider)
        digest = hashlib.sha256(handshake.verifier.encode()).digest()
        query = {
            "response_type": "code",
            "client_id": provider.client_id,
            "redirect_uri": redirect_uri,
            "scope": SCOPES,
            "state": handshake.state,
            "nonce": handshake.nonce,
            "code_challenge": base64.urlsafe_b64encode(digest).decode().rstrip("="),
            "code_challenge_method": "S256",
        }
        if again:
            query["max_age"] = "0"
        endpoint = known.metadata["authorization_endpoint"]
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"

    async def redeem(
        self, name: str, answer: Mapping[str, str], handshake: Handshake, *, redirect_uri: str, again: bool
    ) -> Claims:
        """Who somebody is, for what the provider sent the browser back with.

        Args:
            answer: the query of the callback. Its `state` is checked before, against the browser.
            again: as for `authorization_url`.

        Raises:
            UnknownProvider, ProviderDenied, ProviderUnreachable, ProviderRefused, ProviderEmailUnverified.
        """
        provider = self.provider(name)
        known = await self._learn(provider)
        # An answer of another provider, by whom we are to take its codes here (RFC 9207).
        if "iss" in answer and answer["iss"] != known.metadata["issuer"]:
            raise _refused(provider, "answer of another issuer")
        if "error" in answer or not answer.get("code"):
            log.info("provider-denied", provider=name, error=answer.get("error", "")[:100])
            raise ProviderDenied(label=provider.label)
        tokens = await self._exchange(provider, known, answer["code"], handshake, redirect_uri)
        claims = await self._verified(provider, known, tokens["id_token"], handshake)
        if again and time.time() - float(claims.get("auth_time", time.time())) > AGAIN_SECONDS:
            raise _refused(provider, "signed in long ago")
        if "email" not in claims:
            claims = await self._told_apart(provider, known, tokens, claims["sub"]) | claims
        return _claims(provider, claims)

    async def _learn(self, provider: Provider) -> _Known:
        known = self._known.get(provider.name)
        if known is not None and known.until > time.monotonic():
            return known
        metadata = await self._get(provider, provider.discovery)
        issuer = metadata.get("issuer")
        if not isinstance(issuer, str) or not provider.is_of(issuer):
            log.warning("provider-misconfigured", provider=provider.name, reason="the issuer is not the one asked")
            raise ProviderUnreachable(label=provider.label)
        for endpoint in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not is_safe(metadata.get(endpoint)):
                log.warning("provider-misconfigured", provider=provider.name, reason=f"no safe {endpoint}")
                raise ProviderUnreachable(label=provider.label)
        learnt = self._known[provider.name] = _Known(metadata, time.monotonic() + FRESH_SECONDS)
        return learnt

    async def _exchange(
        self, provider: Provider, known: _Known, code: str, handshake: Handshake, redirect_uri: str
    ) -> dict[str, Any]:
        """What the code is worth: the ID token, and usually an access token."""
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": handshake.verifier,
        }
        auth: httpx.BasicAuth | None = None
        methods = known.metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if "client_secret_basic" in methods:
            auth = httpx.BasicAuth(quote(provider.client_id, safe=""), quote(provider.client_secret, safe=""))
        else:
            form |= {"client_id": provider.client_id, "client_secret": provider.client_secret}
        status, answer = await self._ask(provider, "POST", known.metadata["token_endpoint"], data=form, auth=auth)
        if status != httpx.codes.OK or not isinstance(answer.get("id_token"), str):
            raise _refused(provider, f"token endpoint: {status} {str(answer.get('error', ''))[:100]}")
        return answer

    async def _told_apart(
        self, provider: Provider, known: _Known, tokens: dict[str, Any], subject: str
    ) -> dict[str, Any]:
        """What the user info endpoint says of the same person: where many providers tell addresses (Core 1.0, 5.3)."""
        endpoint, token = known.metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not is_safe(endpoint) or not isinstance(token, str):
            return {}
        headers = {"Authorization": f"Bearer {token}"}
        status, answer = await self._ask(provider, "GET", endpoint, headers=headers)
        if status != httpx.codes.OK or answer.get("sub") != subject:
            raise _refused(provider, f"user info endpoint: {status}")
        return answer

    async def _verified(self, provider: Provider, known: _Known, token: str, handshake: Handshake) -> dict[str, Any]:
        """The claims of a token that the provider has signed for us and for this handshake."""
        try:
            header = jwt.get_unverified_header(token)
            key = await self._key(provider, known, header)
            claims: dict[str, Any] = jwt.decode(
                token,
                key,
                algorithms=list(ALGORITHMS),
                audience=provider.client_id,
                issuer=known.metadata["issuer"],
                leeway=LEEWAY_SECONDS,
                options={"require": ["iss", "sub", "aud", "exp", "iat"]},
            )
        except jwt.PyJWTError as error:
            raise _refused(provider, str(error)) from None
        is_for_several = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
        if claims.get("azp", "" if is_for_several else provider.client_id) != provider.client_id:
            raise _refused(provider, "issued to another party")
        if not hmac.compare_digest(str(claims.get("nonce", "")).encode(), handshake.nonce.encode()):
            raise _refused(provider, "another nonce")
        return claims

    async def _key(self, provider: Provider, known: _Known, header: dict[str, Any]) -> jwt.PyJWK:
        if header.get("alg") not in ALGORITHMS:
            raise jwt.InvalidAlgorithmError(f"algorithm {header.get('alg')!r}")
        found = _fitting(known.keys, header)
        if found is None:
            async with known.asking:  # who comes meanwhile waits for the same answer
                await self._learn_keys(provider, known)
            found = _fitting(known.keys, header)
        if found is None:
            raise jwt.InvalidKeyError("no key for this token")
        return jwt.PyJWK(found, algorithm=header["alg"])

    async def _learn_keys(self, provider: Provider, known: _Known) -> None:
        if time.monotonic() - known.keys_at <= KEYS_AGAIN_SECONDS:
            return
        keys = (await self._get(provider, known.metadata["jwks_uri"])).get("keys")
        known.keys = [key for key in keys if isinstance(key, dict)] if isinstance(keys, list) else []
        known.keys_at = time.monotonic()

    async def _get(self, provider: Provider, url: str) -> dict[str, Any]:
        status, answer = await self._ask(provider, "GET", url)
        if status != httpx.codes.OK:
            log.warning("provider-unreachable", provider=provider.name, url=url, status=status)
            raise ProviderUnreachable(label=provider.label)
        return answer

    async def _ask(self, provider: Provider, method: str, url: str, **options: Any) -> tuple[int, dict[str, Any]]:
        """One question: its status and the object that it was answered with, which is empty where that is no object."""
        if self._http is None:
            headers = {"Accept": "application/json"}
            self._http = httpx.AsyncClient(timeout=PATIENCE_SECONDS, headers=headers, verify=authorities())
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                self._http.stream(method, url, **options) as response,
            ):
                body = bytearray()
                async for part in response.aiter_bytes():
                    body += part
                    if len(body) > LARGEST_ANSWER:
                        raise httpx.DecodingError("too large")
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("provider-unreachable", provider=provider.name, url=url, reason=repr(error))
            raise ProviderUnreachable(label=provider.label) from None
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            log.warning("provider-unreachable", provider=provider.name, url=url, status=response.status_code)
            raise ProviderUnreachable(label=provider.label)
        try:
            answer = json.loads(body)
        except (ValueError, RecursionError):
            answer = None
        return response.status_code, answer if isinstance(answer, dict) else {}


def _fitting(keys: list[dict[str, Any]], header: dict[str, Any]) -> dict[str, Any] | None:
    """The key that a token names; without a name, the only one of its kind."""
    kind = {"RS256": "RSA", "ES256": "EC", "EdDSA": "OKP"}[header["alg"]]
    fitting = [
        key
        for key in keys
        if key.get("kty") == kind and key.get("use", "sig") == "sig" and key.get("alg", header["alg"]) == header["alg"]
    ]
    if header.get("kid") is not None:
        fitting = [key for key in fitting if key.get("kid") == header["kid"]]
    return fitting[0] if len(fitting) == 1 else None


def _claims(provider: Provider, claims: dict[str, Any]) -> Claims:
    subject, email = claims["sub"], claims.get("email")
    if not isinstance(subject, str) or not 0 < len(subject) <= LONGEST_SUBJECT:
        raise _refused(provider, "no usable subject")
    is_verified = claims.get("email_verified") is True or claims.get("email_verified") == "true"  # some write text
    if not isinstance(email, str) or "@" not in email or not is_verified:
        raise ProviderEmailUnverified(label=provider.label)
    if len(email) > LONGEST_EMAIL:
        raise _refused(provider, "no usable address")
    given, family, whole = (str(claims.get(name) or "")[:100] for name in ("given_name", "family_name", "name"))
    return Claims(provider.name, claims["iss"], subject, email, given or ("" if family else whole), family)


def _refused(provider: Provider, reason: str) -> ProviderRefused:
    log.warning("provider-refused", provider=provider.name, reason=reason)
    return ProviderRefused(label=provider.label)
