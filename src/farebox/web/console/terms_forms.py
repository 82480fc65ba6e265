"""The form of terms of sale: read and filled."""

from collections.abc import Mapping
from typing import Final

from msgspec.structs import replace

from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.pricing import BASIS_POINTS, FareTerms, SaleTerms
from farebox.web.console.typed import Typed, percent_text, plain_percent
from farebox.web.labels import seat_type_label
from farebox.web.money_typed import plain_amount

TIERS: Final = 6
"""Steps of what is paid back that the form has room for, or as many as there are."""

MOST_TIERS: Final = 100

FIELDS: Final = {
    **{f".tiers.{index}.hoursBefore": f"tier-{index}-hours" for index in range(MOST_TIERS)},
    **{f".tiers.{index}.refundBp": f"tier-{index}-percent" for index in range(MOST_TIERS)},
    **{f".tiers.{index}": f"tier-{index}-hours" for index in range(MOST_TIERS)},
    ".changeHours": "change_hours",
    ".changeFee": "change_fee",
    ".renameHours": "rename_hours",
    ".renameFee": "rename_fee",
    ".openReturnDays": "open_return_days",
    ".openReturnRefundBp": "open_return_refund",
}
"""The end of a domain error's field -> the form's."""


def title_of(seat_type: str) -> str:
    """Of whose terms they are: a type of seat, or (empty) any."""
    return seat_type_label(seat_type) if seat_type else _("Any seat")


def money_in_words(terms: FareTerms) -> tuple[str, ...]:
    """Service fee and tax, a sentence each."""
    fee = _("Service fee: {amount}, once for each departure that is booked.") if terms.service_fee else ""
    tax = (
        _("Tax: {percent}, added to the amounts that are set.")
        if terms.is_tax_added
        else _("Tax: {percent}, included in every amount.")
    )
    return (
        fee.format(amount=format_money(terms.service_fee)) or _("No service fee."),
        tax.format(percent=percent_text(terms.tax_rate_bp)) if terms.tax_rate_bp else _("No tax."),
    )


def fields_of(terms: SaleTerms, currency: str) -> dict[str, str]:
    """Terms as the form has them. An empty number of hours: never."""
    typed = {
        "fee_refundable": "yes" if terms.is_fee_refundable else "",
        "change_hours": "" if terms.change_hours is None else str(terms.change_hours),
        "change_fee": plain_amount(Money(terms.change_fee_minor, currency)),
        "rename_hours": "" if terms.rename_hours is None else str(terms.rename_hours),
        "rename_fee": plain_amount(Money(terms.rename_fee_minor, currency)),
        "open_return_days": "" if terms.open_return_days is None else str(terms.open_return_days),
        "open_return_refund": plain_percent(terms.open_return_refund_bp),
    }
    for index, (hours, refund_bp) in enumerate(terms.tiers[:MOST_TIERS]):
        typed |= {f"tier-{index}-hours": str(hours), f"tier-{index}-percent": plain_percent(refund_bp)}
    return typed


def rows_of(typed: Mapping[str, str]) -> int:
    """How many steps the form shows: always one more than there are."""
    filled = [index for index in range(MOST_TIERS) if typed.get(f"tier-{index}-hours")]
    return max([TIERS, *(index + 2 for index in filled)])


def read_terms(typed: Typed, before: SaleTerms) -> SaleTerms | None:
    """What the form says, in the place of what there was; `None` where something is wrong with it.

    Rows without anything are left out, so what follows moves up: the domain's errors name the rows that are left.
    """
    tiers = []
    for index in range(MOST_TIERS):
        hours, percent = typed.whole(f"tier-{index}-hours"), typed.percent(f"tier-{index}-percent")
        if hours is None and percent is None:
            continue
        if hours is None or percent is None or not 0 <= percent <= BASIS_POINTS:
            typed.refuse(f"tier-{index}-hours", _("Enter hours and a percentage from 0 to 100, or leave both empty."))
            continue
        tiers.append((hours, percent))
    fees = {name: typed.amount(name) for name in ("change_fee", "rename_fee")}
    hours_of = {name: typed.whole(name) for name in ("change_hours", "rename_hours")}
    open_return_days, back = typed.whole("open_return_days"), typed.percent("open_return_refund")
    if open_return_days is not None and back is None:
        typed.refuse("open_return_refund", _("Enter a percentage, with two decimals at most."))
    if typed.errors:
        return None
    return replace(
        before,
        tiers=tuple(tiers),
        is_fee_refundable=typed.text("fee_refundable") == "yes",
        change_fee_minor=fees["change_fee"].minor if fees["change_fee"] else 0,
        rename_fee_minor=fees["rename_fee"].minor if fees["rename_fee"] else 0,
        open_return_days=open_return_days,
        open_return_refund_bp=before.open_return_refund_bp if back is None else back,
        **hours_of,
    )
