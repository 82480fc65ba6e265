"""Promotion codes: those there are and what they gave, a new one, and the end of one."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, Literal
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.bookings import list_given
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.pricing import (
    NewPromotion,
    Promotion,
    PromotionCodeTaken,
    end_promotion,
    get_promotion,
    list_promotions,
    load_fares,
    make_promotion,
)
from farebox.web.account.showing import page_number, pages_of
from farebox.web.console.history import history_of
from farebox.web.console.office import Form, office_of
from farebox.web.console.typed import Typed, percent_text
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import AskView, Choice, Office
from farebox.web.views.fares import CodeRow, CodesView, NewCodeView

PAGE: Final = 50
UNREADABLE: Final = 422
DAY: Final = timedelta(days=1)

FIELDS: Final = {
    "code": "code",
    "percentBp": "percent",
    "amount": "amount",
    "minimum": "minimum",
    "startsAt": "first_day",
    "endsAt": "last_day",
    "totalLimit": "total_limit",
    "personLimit": "person_limit",
}
"""The end of a domain error's field -> the form's."""


class CodesController(Controller):
    path = "/console/{operator_id:uuid}/codes"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def codes(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "codes", actor=actor)
        number = page_number(request)
        found, total = await list_promotions(
            work, actor=actor, operator_id=operator_id, limit=PAGE, offset=(number - 1) * PAGE
        )
        gave: dict[UUID, list[Money]] = {}
        for each in await list_given(work, [promotion.id for promotion in found]):
            gave.setdefault(each.promotion_id, []).append(each.amount)
        view = CodesView(
            office,
            tuple(_row(promotion, gave.get(promotion.id, ()), office, work.now) for promotion in found),
            pages_of(f"{office.path}/codes", "", number, PAGE, total),
            _done(request.query_params.get("done", "")),
            await history_of(work, office, ("code",), actor=actor),
        )
        return page(request, "console/codes.html", view, is_private=True)

    @get("/new")
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "codes", actor=actor)
        currency = (await load_fares(work, operator_id)).currency
        view = _form(office, currency, {"kind": "percent", "person_limit": "1"})
        return page(request, "console/new_code.html", view, is_private=True)

    @post("/new")
    async def make(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        office = await office_of(work, operator_id, "codes", actor=actor)
        typed = Typed(data, (await load_fares(work, operator_id)).currency)
        new = _read(typed, office)
        if new is not None:
            try:
                await make_promotion(work, new, actor=actor)
                return see_other(f"{office.path}/codes?done=made")
            except Invalid as invalid:
                typed.take(invalid.errors, FIELDS)
            except PromotionCodeTaken as refused:
                typed.refuse("code", refused.text())
        view = _form(office, typed.currency, data, typed)
        return page(request, "console/new_code.html", view, status=UNREADABLE, is_private=True)

    @get("/{promotion_id:uuid}/end")
    async def ask_to_end(
        self, request: AnyRequest, operator_id: UUID, promotion_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "codes", actor=actor)
        promotion = await get_promotion(work, promotion_id, actor=actor, operator_id=operator_id)
        view = AskView(
            office,
            _("End the code {code}?").format(code=promotion.code),
            _("Nobody can take it from now on; bookings that have it keep their discount. This cannot be undone: make"
              " another code instead."),
            f"{office.path}/codes/{promotion_id}/end",
            _("End this code"),
        )  # fmt: skip
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{promotion_id:uuid}/end")
    async def end(self, operator_id: UUID, promotion_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "codes", actor=actor)
        await end_promotion(work, promotion_id, actor=actor, operator_id=operator_id)
        return see_other(f"{office.path}/codes?done=ended")


def _row(promotion: Promotion, gave: Sequence[Money], office: Office, now: datetime) -> CodeRow:
    zone = ZoneInfo(office.operator.timezone)
    limit, minor = promotion.total_limit, promotion.minimum_minor
    ends = promotion.ends_at.astimezone(zone) - timedelta(microseconds=1) if promotion.ends_at else None
    return CodeRow(
        id=promotion.id,
        code=promotion.code,
        worth=format_money(promotion.amount) if promotion.amount else percent_text(promotion.percent_bp or 0),
        used=promotion.used,
        limit=limit,
        person_limit=promotion.person_limit,
        share=min(100, promotion.used * 100 // limit) if limit else None,
        starts=promotion.starts_at.astimezone(zone).date() if promotion.starts_at else None,
        ends=ends.date() if ends else None,
        minimum=Money(minor, promotion.currency) if minor and promotion.currency else None,
        state=_state(promotion, now),
        gave=tuple(gave),
    )


def _state(promotion: Promotion, now: datetime) -> Literal["good", "to-come", "over", "ended", "used-up"]:
    if not promotion.is_active:
        return "ended"
    if promotion.ends_at is not None and promotion.ends_at <= now:
        return "over"
    if promotion.starts_at is not None and now < promotion.starts_at:
        return "to-come"
    is_used_up = promotion.total_limit is not None and promotion.used >= promotion.total_limit
    return "used-up" if is_used_up else "good"


def _read(typed: Typed, office: Office) -> NewPromotion | None:
    """What the form says: of percentage and amount the one that is chosen; days of the operator's own zone."""
    worth: dict[str, Any] = {}
    if typed.text("kind") == "amount":
        worth["amount"] = typed.needed_amount("amount")
    else:
        worth["percent_bp"] = typed.percent("percent")
        if worth["percent_bp"] is None:
            typed.refuse("percent", _("Enter a percentage, with two decimals at most."))
    minimum = typed.amount("minimum")
    first, last = typed.day("first_day"), typed.day("last_day")
    total_limit, person_limit = typed.whole("total_limit"), typed.whole("person_limit")
    if typed.errors:
        return None
    return NewPromotion(
        operator_id=office.operator.id,
        code=typed.text("code"),
        minimum=minimum,
        starts_at=_midnight(first, office),
        ends_at=_midnight(last + DAY if last else None, office),
        total_limit=total_limit,
        person_limit=person_limit,
        **worth,
    )


def _midnight(day: date | None, office: Office) -> datetime | None:
    return datetime.combine(day, time(), ZoneInfo(office.operator.timezone)) if day else None


def _form(office: Office, currency: str, typed: Mapping[str, str], read: Typed | None = None) -> NewCodeView:
    kinds = (
        Choice("percent", _("A percentage"), _("Of what the seats cost together")),
        Choice("amount", _("An amount"), _("Up to what the seats cost together")),
    )
    if read is None:
        return NewCodeView(office, currency, kinds, typed)
    return NewCodeView(office, currency, kinds, typed, read.errors, read.problems)


def _done(what: str) -> str:
    return {
        "made": _("The code was made. It can be taken within its days and limits."),
        "ended": _("The code was ended. Nobody can take it any more."),
    }.get(what, "")
