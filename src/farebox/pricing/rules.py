"""Rules that make the same ride dearer or cheaper: by season, weekday, demand, how early, and with a ride back.

Every rule is a percentage of the fare, not of what a better seat costs on top. Of each kind the one that fits most
closely counts; those of several kinds are added up and never multiplied, so that their order does not matter and each
explains itself.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal, Self, TypeAlias, get_args
from zoneinfo import ZoneInfo

from farebox.core.money import Money
from farebox.pricing.terms import BASIS_POINTS

RuleKind: TypeAlias = Literal["season", "weekday", "load", "early", "round-trip"]
RULE_KINDS: tuple[RuleKind, ...] = get_args(RuleKind)

EVERY_WEEKDAY = 0b111_1111


@dataclass(frozen=True, slots=True)
class Occasion:
    """What price rules look at.

    Attributes:
        day: on which the traveller boards, where they board.
        days_ahead: how many days before that it is, there, when the seat is taken.
        load_bp: how much of the vehicle is gone on the ride, in basis points.
        is_round_trip: whether the way back is in the same booking.
    """

    day: date
    days_ahead: int
    load_bp: int
    is_round_trip: bool = False

    @classmethod
    def of(cls, leaves: datetime, zone: str, *, at: datetime, load_bp: int, is_round_trip: bool = False) -> Self:
        """A ride that leaves at an instant, from a stop in a zone, bought `at` another."""
        there = ZoneInfo(zone)
        day = leaves.astimezone(there).date()
        return cls(day, (day - at.astimezone(there).date()).days, load_bp, is_round_trip)


def load_bp(gone: int, seats: int) -> int:
    """How much of a vehicle is gone, in basis points."""
    return gone * BASIS_POINTS // seats if seats else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class PriceRule:
    """So many basis points of the fare more (or, negative, less), where all conditions hold.

    A rule has the condition of its kind, and all others stand open.

    Attributes:
        name: what travellers read beside the amount.
        first_day, last_day: of a season, by the day of boarding, both included.
        weekdays: of boarding; bit 0 is Monday.
        from_load_bp: from which load on.
        days_ahead: at least so many days before.
        is_on: whether it counts at all; one that was turned off is kept, to be turned on again.
    """

    kind: RuleKind
    name: str
    percent_bp: int
    first_day: date = date.min
    last_day: date = date.max
    weekdays: int = EVERY_WEEKDAY
    from_load_bp: int = 0
    days_ahead: int = 0
    is_on: bool = True

    def fits(self, occasion: Occasion) -> bool:
        return (
            self.first_day <= occasion.day <= self.last_day
            and bool(self.weekdays >> occasion.day.weekday() & 1)
            and self.from_load_bp <= occasion.load_bp
            and (self.kind != "early" or self.days_ahead <= occasion.days_ahead)
            and (self.kind != "round-trip" or occasion.is_round_trip)
        )

    @property
    def closeness(self) -> tuple[int, ...]:
        """Of two rules of a kind that fit, the greater counts.

        A shorter season goes before a longer, fewer weekdays before more, a higher load, an earlier booking; of equals
        what is better for the traveller.
        """
        days = (self.last_day - self.first_day).days
        return -days, -self.weekdays.bit_count(), self.from_load_bp, self.days_ahead, -self.percent_bp

    def amount_of(self, fare: Money) -> Money:
        """What it adds to a fare."""
        return fare.times(Fraction(self.percent_bp, BASIS_POINTS))


def in_order(rules: Iterable[PriceRule]) -> tuple[PriceRule, ...]:
    """The rules of an operator as `fitting` takes them: what fits most closely first."""
    return tuple(sorted(rules, key=lambda rule: rule.closeness, reverse=True))


def fitting(rules: Sequence[PriceRule], occasion: Occasion) -> tuple[PriceRule, ...]:
    """The rules that count on an occasion: at most one of each kind, those that make it dearer first.

    Args:
        rules: as `in_order` gives them.
    """
    closest: dict[RuleKind, PriceRule] = {}
    for rule in rules:
        if rule.kind not in closest and rule.fits(occasion):
            closest[rule.kind] = rule
    return tuple(sorted(closest.values(), key=lambda rule: (rule.percent_bp < 0, RULE_KINDS.index(rule.kind))))


def amounts_of(rules: Sequence[PriceRule], fare: Money) -> tuple[tuple[PriceRule, Money], ...]:
    """What each rule adds to a fare. Together they never take more than there is."""
    left = fare.minor
    amounts = []
    for rule in rules:
        amount = max(rule.amount_of(fare).minor, -left)
        left += amount
        amounts.append((rule, Money(amount, fare.currency)))
    return tuple(amounts)
