"""Prices by distance, discounts for children and seniors, and what better seats cost."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.pricing import DistanceFare, FareBook, SeatSurcharge, get_fare_book, set_general_terms
from farebox.web.console.fare_forms import LONGEST_SEAT_TYPE, seat_options
from farebox.web.console.office import Form, office_of
from farebox.web.console.typed import Typed, plain_percent
from farebox.web.labels import SEAT_FEATURES, SEAT_TYPES, seat_type_label
from farebox.web.money_typed import plain_amount
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import Choice, Office
from farebox.web.views.fares import DistanceView
from farebox.web.views.trips import Option

UNREADABLE: Final = 422
PARTS: Final = ("base", "per_100_km", "minimum", "step")
SPARE_SURCHARGES: Final = 2
MOST_SURCHARGES: Final = 60
MOST_DISCOUNT_BP: Final = 10_000


class DistanceController(Controller):
    path = "/console/{operator_id:uuid}/fares/distance"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "fares", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        view = _view(office, book, _fields_of(book))
        return page(request, "console/distance.html", view, is_private=True)

    @post()
    async def save(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        office = await office_of(work, operator_id, "fares", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        typed = Typed(data, book.terms.currency)
        by_distance = {kind: fare for kind in _types(book) if (fare := _read_fare(typed, kind))}
        surcharges = _read_surcharges(typed)
        discounts = _read_discounts(typed)
        if not typed.errors:
            try:
                await set_general_terms(
                    work,
                    operator_id,
                    lambda terms: replace(terms, **discounts),
                    by_distance=by_distance,
                    surcharges=surcharges,
                    actor=actor,
                )
            except Invalid as invalid:
                typed.take(invalid.errors, {"byDistance": "standard-base"})
        if typed.errors:
            view = replace(_view(office, book, data), errors=typed.errors, problems=typed.problems)
            return page(request, "console/distance.html", view, status=UNREADABLE, is_private=True)
        return see_other(f"{office.path}/fares?done=distance")


def _view(office: Office, book: FareBook, typed: Mapping[str, str]) -> DistanceView:
    features = [Option("", _("Any place")), *(Option(code, _(name)) for code, name in SEAT_FEATURES.items())]
    known = {option.value for option in features}
    own = dict.fromkeys(each.feature for each in book.surcharges if each.feature not in known)
    return DistanceView(
        office=office,
        currency=book.terms.currency,
        types=tuple(Choice(kind, seat_type_label(kind)) for kind in _types(book)),
        seats=seat_options(""),
        features=(*features, *(Option(code, code) for code in own)),
        surcharges=min(len(book.surcharges) + SPARE_SURCHARGES, MOST_SURCHARGES),
        typed=typed,
    )


def _types(book: FareBook) -> list[str]:
    return list(dict.fromkeys([*SEAT_TYPES, *book.by_distance]))


def _fields_of(book: FareBook) -> dict[str, str]:
    """All of it as the form has it."""
    typed = {
        "child_discount": plain_percent(book.terms.child_discount_bp),
        "senior_discount": plain_percent(book.terms.senior_discount_bp),
        "sells_by_distance": "yes" if book.terms.sells_by_distance else "",
    }
    for kind, fare in book.by_distance.items():
        typed |= {f"{kind}-{part}": plain_amount(getattr(fare, part)) for part in PARTS}
    for index, each in enumerate(book.surcharges):
        typed |= {
            f"surcharge-{index}-seat": each.seat_type,
            f"surcharge-{index}-feature": each.feature,
            f"surcharge-{index}-amount": plain_amount(each.amount),
        }
    return typed


def _read_fare(typed: Typed, kind: str) -> DistanceFare | None:
    """A row without any amount is none: this type of seat costs what a standard seat does."""
    if not any(typed.text(f"{kind}-{part}") for part in PARTS) and kind != "standard":
        return None
    base, per_100_km, minimum, step = (typed.needed_amount(f"{kind}-{part}") for part in PARTS)
    if not step and f"{kind}-step" not in typed.errors:
        typed.refuse(f"{kind}-step", _("Prices are rounded to steps of more than nothing."))
    return DistanceFare(base, per_100_km, minimum, step)


def _read_surcharges(typed: Typed) -> list[SeatSurcharge]:
    """Rows without an amount are left out."""
    found: dict[tuple[str, str], SeatSurcharge] = {}
    for index in range(MOST_SURCHARGES):
        name = f"surcharge-{index}"
        amount = typed.amount(f"{name}-amount")
        if amount is None:
            continue
        key = typed.text(f"{name}-seat")[:LONGEST_SEAT_TYPE], typed.text(f"{name}-feature")[:LONGEST_SEAT_TYPE]
        if key in found:
            typed.refuse(f"{name}-amount", _("This is there twice."))
        found[key] = SeatSurcharge(amount, *key)
    return list(found.values())


def _read_discounts(typed: Typed) -> dict[str, Any]:
    """What changes of the terms that hold for everything."""
    found: dict[str, Any] = {"sells_by_distance": typed.text("sells_by_distance") == "yes"}
    for name in ("child_discount", "senior_discount"):
        percent = typed.percent(name) or 0
        if not 0 <= percent <= MOST_DISCOUNT_BP:
            typed.refuse(name, _("A discount is between 0 and 100%."))
        found[f"{name}_bp"] = percent
    return found
