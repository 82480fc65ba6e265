"""In which zone an account's pages tell instants that happened at no stop: chosen, else the browser's, else a guess."""

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final
from zoneinfo import ZoneInfo, available_timezones

from babel.core import get_global

from farebox.accounts import Person
from farebox.core import i18n
from farebox.core.i18n import current_language
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.web.pages import AnyRequest

ZONE_COOKIE: Final = "farebox_zone"
"""Set by a script of ours, to the account's pages only and until the browser is closed: what the browser says."""

COUNTRIES: Final = {"vi": "VN"}
"""Where most of those live who read a language, if that is one country."""

NOWHERE: Final = ZoneInfo("UTC")


@dataclass(frozen=True, slots=True)
class ReadersZone:
    """A zone. `is_chosen`: by the person, who then need not be told which it is."""

    zone: ZoneInfo
    is_chosen: bool = False

    def told(self, at: datetime) -> str:
        """Which zone times and days on the page are of, for who has not chosen it."""
        if self.is_chosen:
            return ""
        return _("Days and times are those of {zone}.").format(zone=i18n.zone_name(at, self.zone))


def zone_of_reader(request: AnyRequest, person: Person, settings: Settings) -> ReadersZone:
    """The zone that the person has chosen; else what the browser says; else that of the shop's country or of the
    reader's language, where there is but one; else UTC."""
    if person.timezone:
        return ReadersZone(ZoneInfo(person.timezone), is_chosen=True)
    said = request.cookies.get(ZONE_COOKIE, "")
    if said in _known():
        return ReadersZone(ZoneInfo(said))
    return ReadersZone(_zone_in(settings.phone_region) or _zone_in(COUNTRIES.get(current_language(), "")) or NOWHERE)


@cache
def _known() -> frozenset[str]:
    """All names of zones, also former ones, which browsers go on using."""
    return frozenset(available_timezones())


@cache
def _zone_in(country: str) -> ZoneInfo | None:
    """The zone of a country (ISO 3166) that has but one."""
    names = [name for name, where in get_global("zone_territories").items() if where == country and name in _known()]
    return ZoneInfo(names[0]) if len(names) == 1 else None
