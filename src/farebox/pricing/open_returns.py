"""What an open return costs: the right to ride back on a day that is not chosen yet."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date
from typing import Final

from farebox.core.money import Money
from farebox.pricing.errors import NotForSale
from farebox.pricing.fares import Fares, SeatFare
from farebox.pricing.quotes import PriceLine, lines_of
from farebox.pricing.rides import Ride
from farebox.pricing.rules import Occasion, PriceRule, RuleKind, amounts_of, fitting
from farebox.pricing.terms import PassengerType

LABEL: Final = "open-return-"
"""How the labels of its lines begin; the rest is what the line of a seat is called."""

OF_THE_MOMENT: Final[frozenset[RuleKind]] = frozenset({"load", "early"})
"""Kinds of rules that ask when one books and how many others ride, which nobody knows yet."""


def price_open_return(
    fares: Fares, there: Ride, seat_type: str, passenger_type: PassengerType, days: Iterable[date]
) -> tuple[PriceLine, ...]:
    """What riding back costs one person, line by line.

    It is the highest ordinary price: the fare of today the other way round, on a seat of the same type, on the dearest
    of the days for which it is good, with the discount for there and back. Load and early booking do not count, nor
    what a certain place on board costs, nor the service fee.

    Args:
        there: the ride out.
        days: of boarding, for which it is good; at least one.

    Raises:
        NotForSale: the operator has no fare for the way back.
    """
    named = fares.named(there.back(), seat_type, passenger_type)
    if named is None:
        raise NotForSale
    fare, _ = named
    zero = Money.zero(fare.currency)
    by_rules = amounts_of(dearest_rules(fares.price_rules, days), fare)
    before_tax = SeatFare(fare, zero, "", zero, by_rules)
    price = replace(before_tax, added_tax=fares.tax.added_to(before_tax.total))
    facts = {"seat": "", "passenger_type": passenger_type, "tax_rate_bp": fares.tax.rate_bp}
    return tuple(_of_no_seat(line) for line in lines_of(fares.tax, price, facts))


def dearest_rules(rules: Sequence[PriceRule], days: Iterable[date]) -> tuple[PriceRule, ...]:
    """Those that count on the dearest of some days, for who rides there and back.

    Args:
        rules: of an operator, as `rules.in_order` gives them.
    """
    ordinary = [rule for rule in rules if rule.kind not in OF_THE_MOMENT]
    if not ordinary:
        return ()
    by_day = (fitting(ordinary, Occasion(day, 0, 0, is_round_trip=True)) for day in days)
    return max(by_day, key=lambda on_day: sum(rule.percent_bp for rule in on_day))


def _of_no_seat(line: PriceLine) -> PriceLine:
    facts = {name: value for name, value in line.facts.items() if name not in {"seat", "feature"}}
    return replace(line, label=LABEL + line.label, seat_number=None, facts=facts)
