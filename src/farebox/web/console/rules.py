"""Price rules: in plain sentences, tried on an example before they are saved, turned off and on again."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final
from urllib.parse import urlencode
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.pricing import (
    FareBook,
    NotForSale,
    Occasion,
    PriceRule,
    PriceRuleNotFound,
    change_price_rule,
    get_fare_book,
    try_fare_book,
    with_price_rule,
)
from farebox.timetable import list_lines
from farebox.web.console.history import history_of
from farebox.web.console.office import Form, office_of
from farebox.web.console.rule_words import (
    FIELDS,
    KINDS,
    change_of,
    example_day,
    fields_of,
    key_of,
    kind_choices,
    read_rule,
    sentence_of,
    state_of,
    weekday_choices,
)
from farebox.web.console.trying import chosen_line, first_example, line_options, price_example
from farebox.web.console.typed import Typed
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import AskView, Office
from farebox.web.views.fares import RulePreview, RuleRow, RulesView, RuleView, Undo

UNREADABLE: Final = 422


class RulesController(Controller):
    path = "/console/{operator_id:uuid}/rules"
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def rules(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "rules", actor=actor)
        book = await get_fare_book(work, operator_id, actor=actor)
        today = _today(office, work.now)
        rows = [
            RuleRow(
                key_of(rule),
                rule.kind,
                rule.name,
                change_of(rule),
                rule.percent_bp > 0,
                sentence_of(rule),
                state_of(rule, today) if rule.is_on else "off",
            )
            for rule in sorted(book.price_rules, key=_place_of)
        ]
        asked = request.query_params
        view = RulesView(
            office=office,
            rules=tuple(rows),
            done=_done(asked.get("done", "")),
            undo=_undo(office, book, asked),
            history=await history_of(work, office, ("rule",), actor=actor),
        )
        return page(request, "console/rules.html", view, is_private=True)

    @get("/new")
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "rules", actor=actor)
        view = await _form(work, office, "", {"kind": "season", "way": "more"})
        return page(request, "console/rule.html", view, is_private=True)

    @post("/new")
    async def make(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        return await _take(request, operator_id, work, actor, data, key="")

    @get("/{key:str}")
    async def ask_again(
        self, request: AnyRequest, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        view = await _form(work, office, key, fields_of(rule))
        return page(request, "console/rule.html", view, is_private=True)

    @post("/{key:str}")
    async def change(
        self, request: AnyRequest, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        return await _take(request, operator_id, work, actor, data, key=key)

    @get("/{key:str}/off")
    async def ask_to_turn_off(
        self, request: AnyRequest, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        view = AskView(
            office,
            _("Turn off “{name}”?").format(name=rule.name),
            _("{sentence} That ends with the next price; bookings that exist keep theirs. It stays in the list, where"
              " you can turn it on again.").format(sentence=sentence_of(rule)),
            f"{office.path}/rules/{key}/off",
            _("Turn the rule off"),
        )  # fmt: skip
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{key:str}/off")
    async def turn_off(self, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        off = replace(rule, is_on=False)
        await change_price_rule(work, operator_id, rule, off, actor=actor)
        return see_other(f"{office.path}/rules?{urlencode({'done': 'off', 'rule': key_of(off)})}")

    @post("/{key:str}/on")
    async def turn_on(self, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        await change_price_rule(work, operator_id, rule, replace(rule, is_on=True), actor=actor)
        return see_other(f"{office.path}/rules?done=on")

    @get("/{key:str}/remove")
    async def ask_to_remove(
        self, request: AnyRequest, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        view = AskView(
            office,
            _("Remove “{name}”?").format(name=rule.name),
            _("{sentence} It is not in the list any more then; who removed it stays written down.").format(
                sentence=sentence_of(rule)
            ),
            f"{office.path}/rules/{key}/remove",
            _("Remove the rule"),
        )
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{key:str}/remove")
    async def remove(self, operator_id: UUID, key: str, work: UnitOfWork, actor: Actor) -> Redirect:
        office = await office_of(work, operator_id, "rules", actor=actor)
        rule = _find(await get_fare_book(work, operator_id, actor=actor), key)
        await change_price_rule(work, operator_id, rule, None, actor=actor)
        return see_other(f"{office.path}/rules?done=removed")


async def _take(
    request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form, *, key: str
) -> Template | Redirect:
    """What the form says: shown on an example, or saved."""
    office = await office_of(work, operator_id, "rules", actor=actor)
    book = await get_fare_book(work, operator_id, actor=actor)
    before = _find(book, key) if key else None
    typed = Typed(data, book.terms.currency)
    rule = read_rule(typed)
    preview = None
    if rule is not None:
        try:
            if typed.text("do") == "save":
                after = replace(rule, is_on=before is None or before.is_on)
                await change_price_rule(work, operator_id, before, after, actor=actor)
                return see_other(f"{office.path}/rules?done={'changed' if key else 'made'}")
            preview = await _preview(work, office, book, before, rule, typed, actor)
        except Invalid as invalid:
            typed.take(invalid.errors, FIELDS)
    view = await _form(work, office, key, data)
    view = replace(view, errors=typed.errors, problems=typed.problems, preview=preview)
    return page(request, "console/rule.html", view, status=UNREADABLE if typed.errors else 200, is_private=True)


async def _preview(
    work: UnitOfWork,
    office: Office,
    book: FareBook,
    before: PriceRule | None,
    rule: PriceRule,
    typed: Typed,
    actor: Actor,
) -> RulePreview | None:
    """An example on which the rule counts, without it and with it; `None` where nothing is on sale to try it on."""
    operator_id, today = office.operator.id, _today(office, work.now)
    with_it = await try_fare_book(work, operator_id, with_price_rule(book, before, rule), actor=actor)
    without = await try_fare_book(work, operator_id, with_price_rule(book, before, None), actor=actor)
    day = example_day(rule, today)
    occasion = Occasion(day, (day - today).days, rule.from_load_bp, rule.kind == "round-trip")
    line_id = chosen_line(await list_lines(work, operator_id), typed.text("line"))
    example = await first_example(work, operator_id, line_id, occasion)
    if example is None:
        return None
    try:
        quote, plain = price_example(with_it, example), price_example(without, example)
    except NotForSale:
        return None
    counts = rule in with_it.rules_for(occasion)
    note = "" if counts else _("Another rule of this kind fits this day more closely, and counts in its place.")
    return RulePreview(sentence_of(rule), plain.total, quote, note)


async def _form(work: UnitOfWork, office: Office, key: str, typed: Mapping[str, str]) -> RuleView:
    lines = await list_lines(work, office.operator.id)
    return RuleView(
        office=office,
        key=key,
        kinds=kind_choices(),
        weekdays=weekday_choices(),
        lines=line_options(lines, typed.get("line", "")),
        typed=typed,
    )


def _find(book: FareBook, key: str) -> PriceRule:
    found = next((rule for rule in book.price_rules if key_of(rule) == key), None)
    if found is None:
        raise PriceRuleNotFound
    return found


def _place_of(rule: PriceRule) -> tuple[bool, int, date]:
    """Where it is in the list: those that were turned off come last."""
    return not rule.is_on, list(KINDS).index(rule.kind), rule.first_day


def _undo(office: Office, book: FareBook, asked: Mapping[str, str]) -> Undo | None:
    """Of the rule that was turned off just now, and is so still."""
    key = asked.get("rule", "")
    if asked.get("done") != "off" or not any(key_of(rule) == key for rule in book.price_rules):
        return None
    return Undo(f"{office.path}/rules/{key}/on", _("Turn it on again"), ())


def _today(office: Office, now: datetime) -> date:
    return now.astimezone(ZoneInfo(office.operator.timezone)).date()


def _done(what: str) -> str:
    return {
        "made": _("The rule was made. It counts from the next price on."),
        "changed": _("The rule was changed. It counts so from the next price on."),
        "off": _("The rule was turned off. It counts no more from the next price on."),
        "removed": _("The rule was removed."),
        "on": _("The rule was turned on again. It counts from the next price on."),
    }.get(what, "")
