"""The OpenID providers that an installation names in its settings."""

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeGuard
from urllib.parse import urlsplit

import msgspec

from farebox.core.settings import BadSetting, Settings

WELL_KNOWN: Final = "/.well-known/openid-configuration"
NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,30}")
SETTING: Final = "FAREBOX_OIDC_PROVIDERS"


@dataclass(frozen=True, slots=True)
class Provider:
    """Where people may sign in instead.

    Attributes:
        name: in addresses, and in what a session says was proved: `google`.
        label: what people call it: Google.
        discovery: the address of its discovery document.
    """

    name: str
    label: str
    discovery: str
    client_id: str
    client_secret: str = field(repr=False)

    def is_of(self, issuer: str) -> bool:
        """Whether the discovery document of `issuer` is the one that we ask (OpenID Connect Discovery 1.0, 4.3)."""
        return issuer.rstrip("/") + WELL_KNOWN == self.discovery


class _Named(msgspec.Struct, forbid_unknown_fields=True, rename="camel"):
    name: str
    label: str
    discovery: str
    client_id: str
    client_secret: str


def read_providers(settings: Settings) -> dict[str, Provider]:
    """The providers by name, Google first where it is set.

    Raises:
        BadSetting: a description that cannot be read, or is not safe.
    """
    providers: list[Provider] = []
    if settings.google_client_id:
        google = (settings.google_discovery, settings.google_client_id, settings.google_client_secret)
        providers.append(Provider("google", "Google", *google))
    providers += [
        Provider(each.name, each.label, each.discovery, each.client_id, each.client_secret)
        for each in _read(settings.oidc_providers)
    ]
    for provider in providers:
        if not NAME.fullmatch(provider.name):
            raise BadSetting(reason=f"{SETTING}: {provider.name!r} is no name: a-z, 0-9 and hyphens")
        if not is_safe(provider.discovery) or not provider.discovery.endswith(WELL_KNOWN):
            raise BadSetting(reason=f"{provider.name}: discovery must be an https address that ends with {WELL_KNOWN}")
        if not provider.client_secret:
            raise BadSetting(reason=f"{provider.name}: the client's secret is missing")
    if len({provider.name for provider in providers}) != len(providers):
        raise BadSetting(reason=f"{SETTING}: a name is there twice")
    return {provider.name: provider for provider in providers}


def is_safe(url: object) -> TypeGuard[str]:
    """Whether what is sent to an address cannot be read on its way: by https, or inside this machine."""
    if not isinstance(url, str):
        return False
    address = urlsplit(url)
    if address.scheme == "https":
        return bool(address.hostname)
    host = address.hostname or ""
    try:
        is_here = ipaddress.ip_address(host).is_loopback
    except ValueError:
        is_here = host == "localhost"
    return address.scheme == "http" and is_here


def _read(given: str) -> list[_Named]:
    """A JSON array, or the path of a file with one."""
    if not given:
        return []
    try:
        text = given if given.lstrip().startswith("[") else Path(given).expanduser().read_text()
        return msgspec.json.decode(text, type=list[_Named])
    except OSError as error:
        raise BadSetting(reason=f"{SETTING}: {error.strerror}") from None
    except msgspec.DecodeError as error:
        raise BadSetting(reason=f"{SETTING}: {error}") from None
