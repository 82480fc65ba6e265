"""What a sign-in tells of where it came from, so that its owner knows it again: a device, and roughly a place."""

import ipaddress
import re
from typing import Final

from ua_parser import parse

LONGEST_READ: Final = 500
LONGEST_TOLD: Final = 80

PREFIX_LENGTHS: Final = {4: 24, 6: 48}
"""How much of an address is kept: the network of a provider's customers, not the customer."""

_COUNTRY: Final = re.compile("[A-Z]{2}")
_UNKNOWN_COUNTRIES: Final = frozenset({"XX", "ZZ", "T1"})


def describe_device(user_agent: str) -> str:
    """A device from its User-Agent, alike in all languages: "Firefox, Windows"; empty where it does not tell."""
    told = parse(user_agent[:LONGEST_READ])
    browser = told.user_agent.family if told.user_agent else ""
    system = told.os.family if told.os else ""
    if told.device is not None and told.device.brand == "Apple" and system == "iOS":
        system = told.device.family  # iPhone or iPad, as their owners say
    name = ", ".join(filter(None, [browser.replace("Mobile", "").strip(), system]))
    return "".join(character for character in name if character.isprintable())[:LONGEST_TOLD]


def describe_place(address: str, country: str = "") -> str:
    """Where a request came from: "VN, 203.0.113.0/24"; empty where there is no address.

    Args:
        country: ISO 3166 code, as a proxy that we trust has told; anything else counts for nothing.
    """
    known = country.upper() if _COUNTRY.fullmatch(country.upper()) else ""
    return ", ".join(filter(None, [known if known not in _UNKNOWN_COUNTRIES else "", _network(address)]))


def _network(address: str) -> str:
    try:
        read = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return ""
    if isinstance(read, ipaddress.IPv6Address) and read.ipv4_mapped:
        read = read.ipv4_mapped
    return str(ipaddress.ip_network((read, PREFIX_LENGTHS[read.version]), strict=False))
