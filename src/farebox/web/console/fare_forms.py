"""The form of a fare by hand: read, filled, and taken back."""

from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from farebox.core.i18n import gettext as _
from farebox.pricing import FareCell
from farebox.web.console.typed import Typed
from farebox.web.labels import SEAT_TYPES, seat_type_label
from farebox.web.money_typed import plain_amount
from farebox.web.views.console import Office
from farebox.web.views.fares import Undo
from farebox.web.views.trips import Option

FIELDS: Final = {
    ".adult": "adult",
    ".child": "child",
    ".senior": "senior",
    ".fromPlaceId": "from",
    ".toPlaceId": "to",
}
"""The end of a domain error's field -> the form's."""

AMOUNTS: Final = ("adult", "child", "senior")
LONGEST_SEAT_TYPE: Final = 40


def read_cell(typed: Typed) -> FareCell | None:
    """What the form says; `None` where something is wrong with it."""
    ends = {name: _place(typed, name) for name in ("from", "to")}
    if ends["from"] is not None and ends["from"] == ends["to"]:
        typed.refuse("to", _("Choose another place than the first."))
    adult = typed.needed_amount("adult")
    child, senior = typed.amount("child"), typed.amount("senior")
    seat_type = typed.text("seat")[:LONGEST_SEAT_TYPE]
    if typed.errors or ends["from"] is None or ends["to"] is None:
        return None
    return FareCell(ends["from"], ends["to"], adult, child, senior, seat_type)


def amounts_of(cell: FareCell) -> dict[str, str]:
    """A fare's amounts as the form has them."""
    amounts = {"adult": cell.adult, "child": cell.child, "senior": cell.senior}
    return {name: plain_amount(amount) for name, amount in amounts.items() if amount is not None}


def fare_undo(office: Office, asked: Mapping[str, str]) -> Undo | None:
    """What takes back what the address says was done just now."""
    done = asked.get("done", "")
    way = {name: asked.get(name, "")[:60] for name in ("from", "to", "seat", "line")}
    if done not in {"set", "ended"}:
        return None
    if asked.get("adult"):
        amounts = {name: asked.get(name, "")[:30] for name in AMOUNTS if asked.get(name)}
        label = _("Put it back") if done == "ended" else _("Undo: set it as it was before")
        return Undo(f"{office.path}/fares/set", label, tuple({**way, **amounts}.items()))
    query = urlencode(way)
    return Undo(f"{office.path}/fares/end?{query}", _("Undo: end it again"), ())


def seat_options(chosen: str) -> tuple[Option, ...]:
    """Types of seats to choose from: any, those that we know, and the one that there is."""
    codes = dict.fromkeys([*SEAT_TYPES, *([chosen] if chosen else [])])
    any_seat = Option("", _("Any seat"), not chosen)
    return (any_seat, *(Option(code, seat_type_label(code), code == chosen) for code in codes))


def _place(typed: Typed, name: str) -> UUID | None:
    try:
        return UUID(typed.text(name))
    except ValueError:
        typed.refuse(name, _("Choose a place."))
        return None
