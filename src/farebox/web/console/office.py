"""Whose console it is, and what of it is open to the reader."""

from typing import Annotated, Final
from uuid import UUID

from litestar.enums import RequestEncodingType
from litestar.params import Body

from farebox.accounts import ROLE_NAMES, STAFF_ROLES, Actor, Permission, get_reached_operator
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.web.views.console import Choice, Office, Section

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]

LONGEST: Final = 254
LONGEST_NAME: Final = 100

SECTIONS: Final[dict[Section, Permission]] = {
    "today": Permission.DEPARTURES_READ,
    "fares": Permission.FARES_CHANGE,
    "rules": Permission.FARES_CHANGE,
    "codes": Permission.FARES_CHANGE,
    "terms": Permission.FARES_CHANGE,
    "till": Permission.BOOKINGS_SELL,
    "staff": Permission.STAFF_MANAGE,
    "keys": Permission.KEYS_MANAGE,
    "devices": Permission.DEVICES_MANAGE,
}

_ROLE_HINTS: Final = {
    "agent": N_("Sells and changes bookings, and all that drivers may do"),
    "driver": N_("Sees departures and passenger lists, and checks tickets"),
    "operator_admin": N_("May do everything for this operator, and manages its staff"),
}


async def office_of(work: UnitOfWork, operator_id: UUID, section: Section, *, actor: Actor) -> Office:
    """The frame of a page of that section.

    Raises:
        OperatorNotFound: there is none, or the section is not open to this actor there.
        SecondProofRequired: it is, with a second proof.
    """
    operator = await get_reached_operator(work, operator_id, actor=actor, permission=SECTIONS[section])
    return Office(operator, section, sections_of(actor, operator_id), is_only=only_operator(actor) is not None)


def only_operator(actor: Actor) -> UUID | None:
    """The operator for whom somebody acts where it is one only, and all that they are granted there is open."""
    if actor.is_everywhere or actor.withheld or len(actor.grants) != 1:
        return None
    return actor.grants[0][0]


def sections_of(actor: Actor, operator_id: UUID) -> tuple[Section, ...]:
    """The sections of an operator's console that are open to an actor."""
    return tuple(section for section, permission in SECTIONS.items() if actor.may(permission, operator_id))


def role_choices() -> tuple[Choice, ...]:
    """What somebody can be for an operator."""
    return tuple(Choice(role, _(ROLE_NAMES[role]), _(_ROLE_HINTS[role])) for role in STAFF_ROLES)
