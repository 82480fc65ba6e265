"""Asking a provider over HTTP: bounded in time and size, no redirect followed, nothing secret in the log."""

import asyncio
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx
import structlog

from farebox.core.tls import authorities
from farebox.payments.errors import ProviderUnavailable

log = structlog.get_logger(__name__)

PATIENCE_SECONDS: Final = 10.0
"""How long a provider may take for one answer; often somebody is waiting."""

LARGEST_ANSWER: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Answer:
    """What a provider said.

    Attributes:
        raw: the body as it came.
    """

    status: int
    raw: bytes

    @property
    def is_success(self) -> bool:
        return httpx.codes.is_success(self.status)

    @property
    def body(self) -> dict[str, Any]:
        """The object in the body; empty where there is none."""
        try:
            found = json.loads(self.raw)
        except (ValueError, RecursionError):
            found = None
        return found if isinstance(found, dict) else {}


class Caller:
    """Asks one provider.

    Args:
        provider: its name, for the log.
        base_url: where its paths begin; no slash at the end.
    """

    def __init__(self, provider: str, base_url: str) -> None:
        self.provider = provider
        self._base_url = base_url.rstrip("/")
        self._http: httpx.AsyncClient | None = None

    async def dispose(self) -> None:
        if self._http is not None:
            await self._http.aclose()
            self._http = None

    async def ask(self, method: str, path: str, *, headers: Mapping[str, str] | None = None, **content: Any) -> Answer:
        """One question.

        Args:
            path: below the base URL, or an address of its own.
            content: as httpx takes it: `json`, `data`, `auth`.

        Raises:
            ProviderUnavailable: no answer in time, or one that says "not now".
        """
        url = path if "://" in path else self._base_url + path
        if self._http is None:
            headers_of_all = {"Accept": "application/json"}
            self._http = httpx.AsyncClient(timeout=PATIENCE_SECONDS, headers=headers_of_all, verify=authorities())
        try:
            async with (
                asyncio.timeout(PATIENCE_SECONDS),
                self._http.stream(method, url, headers=headers, **content) as response,
            ):
                raw = bytearray()
                async for part in response.aiter_bytes():
                    raw += part
                    if len(raw) > LARGEST_ANSWER:
                        raise httpx.DecodingError("too large")
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("payment-provider-silent", provider=self.provider, path=path, reason=repr(error))
            raise ProviderUnavailable from error
        status = response.status_code
        if status >= httpx.codes.INTERNAL_SERVER_ERROR or status == httpx.codes.TOO_MANY_REQUESTS:
            log.warning("payment-provider-busy", provider=self.provider, path=path, status=status)
            raise ProviderUnavailable from ConnectionError(f"status {status}")
        return Answer(status, bytes(raw))
