"""From where somebody asks, as it is noted with their sign-in."""

from litestar.types import Scope

from farebox.accounts import describe_device, describe_place
from farebox.core.settings import Settings


def whereabouts(scope: Scope, settings: Settings) -> tuple[str, str]:
    """The device and, roughly, the place of a request: "Firefox, Windows" and "VN, 203.0.113.0/24"."""
    headers = {name: value.decode("latin-1") for name, value in scope["headers"]}
    country = headers.get(settings.country_header.lower().encode(), "") if settings.country_header else ""
    address = scope["client"][0] if scope["client"] else ""
    return describe_device(headers.get(b"user-agent", "")), describe_place(address, country)
