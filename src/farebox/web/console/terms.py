"""Terms of sale: what comes back, what changes cost, tax and service fee; told as travellers read it."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.pricing import (
    DEFAULT_SALE_TERMS,
    FareBook,
    FareTerms,
    describe_sale_terms,
    get_fare_book,
    set_general_terms,
    set_sale_terms,
)
from farebox.web.console.history import history_of
from farebox.web.console.office import Form, office_of
from farebox.web.console.terms_forms import FIELDS, fields_of, money_in_words, read_terms, rows_of, title_of
from farebox.web.console.typed import Typed, plain_percent
from farebox.web.labels import SEAT_TYPES, seat_type_label
from farebox.web.money_typed import plain_amount
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import AskView, Choice, Office
from farebox.web.views.fares import EditTermsView, MoneyTermsView, TermsCard, TermsView, Undo
from farebox.web.views.trips import Option

UNREADABLE: Final = 422
MOST_TAX_BP: Final = 10_000


class TermsController(Controller):
    path = "/console/{operator_id:uuid}/terms"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def terms(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "terms", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        asked = request.query_params
        own = book.sale_terms
        others = [kind for kind in SEAT_TYPES if kind not in own]
        view = TermsView(
            office=office,
            cards=tuple(_card(book, kind) for kind in sorted({"", *own})),
            others=tuple(Option(kind, seat_type_label(kind)) for kind in others),
            money=money_in_words(book.terms),
            done=_done(asked.get("done", "")),
            undo=_undo(office, asked),
            history=await history_of(work, office, ("sale-terms", "money"), actor=actor, currency=book.terms.currency),
        )
        return page(request, "console/terms.html", view, is_private=True)

    @get("/edit")
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "terms", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        seat_type = request.query_params.get("seat", "")[:40]
        terms = book.sale_terms.get(seat_type) or book.sale_terms.get("", DEFAULT_SALE_TERMS)
        view = _form(office, book, seat_type, fields_of(terms, book.terms.currency))
        return page(request, "console/edit_terms.html", view, is_private=True)

    @post("/edit")
    async def save(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        """Shown as travellers would read it, or saved."""
        office = await office_of(work, operator_id, "terms", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        typed = Typed(data, book.terms.currency)
        seat_type = typed.text("seat")[:40]
        before = book.sale_terms.get(seat_type)
        terms = read_terms(typed, before or DEFAULT_SALE_TERMS)
        preview: list[str] = []
        if terms is not None:
            try:
                if typed.text("do") == "save":
                    await set_sale_terms(work, operator_id, seat_type, terms, actor=actor)
                    was = fields_of(before, typed.currency) if before else {}
                    return see_other(f"{office.path}/terms?{urlencode({'done': 'saved', 'seat': seat_type, **was})}")
                preview = describe_sale_terms(terms, typed.currency)
            except Invalid as invalid:
                typed.take(invalid.errors, FIELDS)
        view = _form(office, book, seat_type, data)
        view = replace(view, errors=typed.errors, problems=typed.problems, preview=tuple(preview))
        status = UNREADABLE if typed.errors else 200
        return page(request, "console/edit_terms.html", view, status=status, is_private=True)

    @get("/end")
    async def ask_to_end(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "terms", actor=actor)
        seat_type = request.query_params.get("seat", "")[:40]
        view = AskView(
            office,
            _("End the own terms of “{seat}”?").format(seat=title_of(seat_type)),
            _("New bookings are then sold under the terms for any seat, or under ours where there are none. Bookings"
              " that exist keep theirs. You can put them back right afterwards."),
            f"{office.path}/terms/end?{urlencode({'seat': seat_type})}",
            _("End these terms"),
        )  # fmt: skip
        return page(request, "console/ask.html", view, is_private=True)

    @post("/end")
    async def end(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "terms", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        seat_type = request.query_params.get("seat", "")[:40]
        before = book.sale_terms.get(seat_type)
        await set_sale_terms(work, operator_id, seat_type, None, actor=actor)
        was = fields_of(before, book.terms.currency) if before else {}
        return see_other(f"{office.path}/terms?{urlencode({'done': 'ended', 'seat': seat_type, **was})}")

    @get("/money")
    async def ask_for_money(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "terms", actor=actor)
        terms = (await get_fare_book(work, operator_id, actor=actor)).terms
        typed = {
            "service_fee": plain_amount(terms.service_fee),
            "tax": plain_percent(terms.tax_rate_bp),
            "way": "added" if terms.is_tax_added else "included",
        }
        return page(request, "console/money_terms.html", _money_form(office, terms, typed), is_private=True)

    @post("/money")
    async def save_money(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        office = await office_of(work, operator_id, "terms", actor=actor)
        terms = (await get_fare_book(work, operator_id, actor=actor)).terms
        typed = Typed(data, terms.currency)
        fee, tax = typed.needed_amount("service_fee"), typed.percent("tax") or 0
        if not 0 <= tax <= MOST_TAX_BP:
            typed.refuse("tax", _("A tax is between 0 and 100%."))
        if not typed.errors:
            changes: dict[str, Any] = {
                "service_fee": fee,
                "tax_rate_bp": tax,
                "is_tax_added": typed.text("way") == "added",
            }
            await set_general_terms(work, operator_id, lambda known: replace(known, **changes), actor=actor)
            return see_other(f"{office.path}/terms?done=money")
        view = replace(_money_form(office, terms, data), errors=typed.errors, problems=typed.problems)
        return page(request, "console/money_terms.html", view, status=UNREADABLE, is_private=True)


def _card(book: FareBook, seat_type: str) -> TermsCard:
    own = book.sale_terms.get(seat_type)
    sentences = describe_sale_terms(own or DEFAULT_SALE_TERMS, book.terms.currency)
    return TermsCard(seat_type, title_of(seat_type), tuple(sentences), own is None)


def _form(office: Office, book: FareBook, seat_type: str, typed: Mapping[str, str]) -> EditTermsView:
    return EditTermsView(office, title_of(seat_type), seat_type, book.terms.currency, rows_of(typed), typed)


def _money_form(office: Office, terms: FareTerms, typed: Mapping[str, str]) -> MoneyTermsView:
    ways = (
        Choice("included", _("Included"), _("Every amount that you set has the tax in it already.")),
        Choice("added", _("Added"), _("Amounts are without the tax; each seat and the fee get a line of tax.")),
    )
    return MoneyTermsView(office, terms.currency, ways, typed)


def _undo(office: Office, asked: Mapping[str, str]) -> Undo | None:
    """What puts the terms back that there were, as the address has them."""
    done = asked.get("done", "")
    if done not in {"saved", "ended"} or "change_hours" not in asked:
        return None
    kept = {name: value[:60] for name, value in asked.items() if name not in {"done", "do"}}
    label = _("Put them back") if done == "ended" else _("Undo: as they were before")
    return Undo(f"{office.path}/terms/edit", label, tuple({**kept, "do": "save"}.items()))


def _done(what: str) -> str:
    return {
        "saved": _("The terms were saved. They hold for bookings from now on; those that exist keep theirs."),
        "ended": _("These terms were ended. Bookings that exist keep them."),
        "money": _(
            "Tax and service fee were saved. They hold from the next price on; bookings that exist keep theirs."
        ),
    }.get(what, "")
