"""Who changed what is sold, as the pages of the things themselves tell it."""

from collections.abc import Mapping, Sequence
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from farebox.accounts import Actor, Permission, list_colleagues
from farebox.core.db import UnitOfWork
from farebox.core.i18n import format_money, ngettext
from farebox.core.i18n import gettext as _
from farebox.pricing import (
    DistanceFare,
    FareCell,
    FareChange,
    FarePart,
    FaresOfFeed,
    FareTerms,
    NewPromotion,
    PriceRule,
    SaleTerms,
    SeatSurcharge,
    describe_sale_terms,
    list_fare_changes,
)
from farebox.web.console.rule_words import change_of, sentence_of
from farebox.web.console.terms_forms import money_in_words, title_of
from farebox.web.console.typed import percent_text
from farebox.web.labels import seat_place, seat_type_label
from farebox.web.views.console import Office
from farebox.web.views.fares import HistoryLine

LATEST: Final = 10


async def history_of(
    work: UnitOfWork,
    office: Office,
    parts: Sequence[FarePart],
    *,
    actor: Actor,
    places: Mapping[UUID, str] | None = None,
    currency: str = "",
) -> tuple[HistoryLine, ...]:
    """The latest changes of some parts of what an operator sells, the newest first.

    Args:
        places: names of places, for fares from one to another; `currency`: of fees, for terms of sale.
    """
    noted = await list_fare_changes(work, office.operator.id, parts, actor=actor, limit=LATEST)
    names = await list_colleagues(work, office.operator.id, actor=actor, permission=Permission.FARES_CHANGE)
    zone = ZoneInfo(office.operator.timezone)
    lines = []
    for each in noted:
        before, after = (_words(thing, currency) for thing in (each.change.before, each.change.after))
        lines.append(
            HistoryLine(
                at=each.at.astimezone(zone),
                who=_who(each.actor, names),
                what=_what(each.change, places or {}),
                before="" if before == after else before,
                after=after,
            )
        )
    return tuple(lines)


def _who(actor: str, names: Mapping[UUID, str]) -> str:
    """By name who works here still; others by what they are."""
    kind, _colon, of = actor.partition(":")
    if kind == "partner":
        return _("a program")
    if kind == "import":
        return _("an import of a timetable")
    if kind != "user":
        return _("the platform")
    return names.get(UUID(of)) or _("somebody who does not work here now")


def _what(change: FareChange, places: Mapping[UUID, str]) -> str:
    """Which thing it is, and what was done with it."""
    before, after = change.before, change.after
    done = _("made") if before is None else _("ended") if after is None else _("changed")
    if isinstance(before, PriceRule) and isinstance(after, PriceRule) and before.is_on != after.is_on:
        done = _("turned on") if after.is_on else _("turned off")
    return f"{_name(change, places)}: {done}"


def _name(change: FareChange, places: Mapping[UUID, str]) -> str:
    thing = change.after or change.before
    match thing:
        case PriceRule():
            text = _("Rule “{name}”").format(name=thing.name)
        case FareCell():
            unknown = _("A place without coaches")
            way = _("{origin} to {destination}").format(
                origin=places.get(thing.from_place, unknown), destination=places.get(thing.to_place, unknown)
            )
            text = f"{way}, {seat_type_label(thing.seat_type) if thing.seat_type else _('Any seat')}"
        case NewPromotion():
            text = _("Code {code}").format(code=thing.code)
        case SaleTerms():
            text = _("Terms for “{seat}”").format(seat=title_of(change.subject))
        case DistanceFare():
            text = _("By distance, {seat}").format(seat=seat_type_label(change.subject))
        case SeatSurcharge():
            seats = filter(None, [thing.seat_type and seat_type_label(thing.seat_type), seat_place((thing.feature,))])
            text = _("On top, {seat}").format(seat=", ".join(seats) or _("Any seat"))
        case FaresOfFeed():
            text = _("Fares of the timetable")
        case _:
            text = _("Tax, service fee and discounts")
    return text


def _words(thing: object, currency: str) -> str:
    """What it says, in one line; empty where there is none."""
    match thing:
        case PriceRule():
            text = f"{change_of(thing)}. {sentence_of(thing)}"
        case FareCell():
            amounts = [amount for amount in (thing.adult, thing.child, thing.senior) if amount is not None]
            text = " / ".join(format_money(amount) for amount in amounts)
        case NewPromotion():
            text = format_money(thing.amount) if thing.amount else percent_text(thing.percent_bp or 0)
        case SaleTerms():
            text = " ".join(describe_sale_terms(thing, currency))
        case DistanceFare():
            text = _("{base} and {per_100_km} for 100 km, {minimum} at least, in steps of {step}").format(
                base=format_money(thing.base),
                per_100_km=format_money(thing.per_100_km),
                minimum=format_money(thing.minimum),
                step=format_money(thing.step),
            )
        case SeatSurcharge():
            text = format_money(thing.amount)
        case FaresOfFeed():
            text = ngettext("{count} fare", "{count} fares", thing.products).format(count=thing.products)
        case FareTerms():
            discounts = _("Children {child} less, seniors {senior} less.").format(
                child=percent_text(thing.child_discount_bp), senior=percent_text(thing.senior_discount_bp)
            )
            text = " ".join((*money_in_words(thing), discounts))
        case _:
            text = ""
    return text
