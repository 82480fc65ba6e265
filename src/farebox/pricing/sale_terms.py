"""Under which terms a ticket is given back, changed or renamed, and how that is said to travellers."""

from collections.abc import Iterable, Sequence
from typing import Final

import msgspec

from farebox.core.i18n import N_, format_money, gettext, ngettext
from farebox.core.money import Money


class SaleTerms(msgspec.Struct, frozen=True, kw_only=True):
    """The terms of one type of seat. Hours count back from the departure at the stop of boarding.

    Attributes:
        tiers: (hours before, basis points of the price of a seat that are paid back until then), the earliest first.
            After the last, and where there are none, nothing is paid back.
        is_fee_refundable: whether the service fee is paid back with the last seat.
        change_hours, rename_hours: until when seats may be changed for others, and people for others; `None`: never.
        change_fee_minor, rename_fee_minor: what that costs for each passenger, in the operator's currency.
        open_return_days: for how many days after the ride there an open return is good; `None`: none is sold.
        open_return_refund_bp: how much is paid back of what is not used of its price: where it is given up, ends
            unused, or the ride back costs less.
    """

    tiers: tuple[tuple[int, int], ...] = ((72, 10_000), (24, 8_000), (2, 5_000))
    is_fee_refundable: bool = False
    change_hours: int | None = 2
    change_fee_minor: int = 0
    rename_hours: int | None = 2
    rename_fee_minor: int = 0
    open_return_days: int | None = None
    open_return_refund_bp: int = 10_000


DEFAULT_SALE_TERMS: Final = SaleTerms()
"""Of operators that have not said."""

_CHANGING: Final = (
    N_("You may change to another trip or seat {until}, free of charge."),
    N_("You may change to another trip or seat {until}, for {fee} a person."),
    N_("You cannot change to another trip or seat."),
)
_RENAMING: Final = (
    N_("You may change names {until}, free of charge."),
    N_("You may change names {until}, for {fee} a person."),
    N_("You cannot change names."),
)


def best_of(terms: Sequence[SaleTerms]) -> SaleTerms:
    """The terms of seats that are sold as one: in each point those that are better for the traveller.

    So no seat comes under worse terms than were shown for it.
    """
    first, *others = dict.fromkeys(terms)
    if not others:
        return first
    hours = sorted({hours for each in terms for hours, _ in each.tiers}, reverse=True)
    tiers: list[tuple[int, int]] = []
    for before in hours:
        refund = max(bp for each in terms for until, bp in (*each.tiers, (0, 0)) if until <= before)
        while tiers and tiers[-1][1] <= refund:
            tiers.pop()  # who is later gets as much, or more
        tiers.append((before, refund))
    return SaleTerms(
        tiers=tuple(tiers),
        is_fee_refundable=any(each.is_fee_refundable for each in terms),
        change_hours=_latest(each.change_hours for each in terms),
        change_fee_minor=min(each.change_fee_minor for each in terms),
        rename_hours=_latest(each.rename_hours for each in terms),
        rename_fee_minor=min(each.rename_fee_minor for each in terms),
        open_return_days=max((each.open_return_days for each in terms if each.open_return_days), default=None),
        open_return_refund_bp=max(each.open_return_refund_bp for each in terms),
    )


def describe_sale_terms(terms: SaleTerms, currency: str) -> list[str]:
    """The terms in sentences, in the language of the request."""
    sentences = [
        _until(N_("Cancelled {until}, {percent}% of the price is paid back."), hours, percent=f"{refund / 100:g}")
        for hours, refund in terms.tiers
        if refund
    ]
    sentences.append(
        gettext(N_("Cancelled later, nothing is paid back."))
        if sentences
        else gettext(N_("Once paid, nothing is paid back when you cancel."))
    )
    if terms.is_fee_refundable:
        sentences.append(gettext(N_("The service fee is paid back, too.")))
    fees = [Money(minor, currency) for minor in (terms.change_fee_minor, terms.rename_fee_minor)]
    sentences.append(_allowed(_CHANGING, terms.change_hours, fees[0]))
    sentences.append(_allowed(_RENAMING, terms.rename_hours, fees[1]))
    if terms.open_return_days:
        sentences.append(describe_open_return(terms.open_return_days, terms.open_return_refund_bp))
    return sentences


def describe_open_return(days: int, refund_bp: int) -> str:
    """For how long an open return is good, and how much of what is not used is paid back, in the request's language."""
    return ngettext(
        "You may buy an open return, to ride back up to {days} day after this trip. {percent}% of the part of its"
        " price that you do not use is paid back.",
        "You may buy an open return, to ride back up to {days} days after this trip. {percent}% of the part of its"
        " price that you do not use is paid back.",
        days,
    ).format(days=days, percent=f"{refund_bp / 100:g}")


def _latest(hours: Iterable[int | None]) -> int | None:
    return min((each for each in hours if each is not None), default=None)


def _until(sentence: str, hours: int, **facts: str) -> str:
    when = N_("up to {hours} h before departure") if hours else N_("before departure")
    return gettext(sentence).format(until=gettext(when).format(hours=hours), **facts)


def _allowed(sentences: tuple[str, str, str], hours: int | None, fee: Money) -> str:
    free, for_a_fee, never = sentences
    if hours is None:
        return gettext(never)
    return _until(for_a_fee, hours, fee=format_money(fee)) if fee else _until(free, hours)
