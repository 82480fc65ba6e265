"""The console's pages about prices: fares, rules, codes, terms of sale."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Literal
from uuid import UUID

from farebox.core.money import Money
from farebox.pricing import FareSource, RuleKind
from farebox.web.views.account import Pages
from farebox.web.views.checkout import Problem
from farebox.web.views.console import Choice, Office
from farebox.web.views.trips import Option


@dataclass(frozen=True, slots=True)
class Undo:
    """A form without fields that are seen: what takes the last step back. `fields`: name -> value."""

    action: str
    label: str
    fields: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """Who changed what, and what it says; `before` and `after` are empty where there was none, or is none any more."""

    at: datetime
    who: str
    what: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class FareRow:
    """What an adult, a child and a senior pay from place to place on a type of seat, and what says so.

    Attributes:
        source: `None`: this ride is not sold.
        end_url: empty where the fare is not set by hand.
        try_url: where to see what a ride costs; empty where no line is known.
    """

    origin: str
    destination: str
    seat: str
    adult: Money | None
    child: Money | None
    senior: Money | None
    source: FareSource | None
    set_url: str
    end_url: str
    try_url: str


@dataclass(frozen=True, slots=True)
class FaresView:
    """`line` is empty for all fares by hand, whatever their line; `lacks`: why there is nothing to be seen."""

    office: Office
    currency: str
    rows: tuple[FareRow, ...]
    pages: Pages
    lines: tuple[Option, ...]
    line: str
    sources: tuple[Option, ...]
    source: str
    search: str
    lacks: Literal["", "by-hand", "found", "departures"] = ""
    done: str = ""
    undo: Undo | None = None
    history: tuple[HistoryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class FareView:
    """The form of one fare; `typed` as it was, `errors` by field. `now`: what this way costs now, in words."""

    office: Office
    currency: str
    places: tuple[Option, ...]
    seats: tuple[Option, ...]
    typed: Mapping[str, str]
    is_fixed: bool
    origin: str = ""
    destination: str = ""
    now: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DistanceView:
    """The form of prices by distance; `types`: code and name of the types of seats, a row each."""

    office: Office
    currency: str
    types: tuple[Choice, ...]
    seats: tuple[Option, ...]
    features: tuple[Option, ...]
    surcharges: int
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class QuoteRow:
    label: str
    why: str
    amount: Money


@dataclass(frozen=True, slots=True)
class TriedQuote:
    """What a ride would cost. `facts`: of the ride and the occasion, in words."""

    title: str
    facts: tuple[str, ...]
    rows: tuple[QuoteRow, ...]
    total: Money
    tax: Money


@dataclass(frozen=True, slots=True)
class TryView:
    office: Office
    lines: tuple[Option, ...]
    places: tuple[Option, ...]
    seats: tuple[Option, ...]
    typed: Mapping[str, str]
    quote: TriedQuote | None = None
    refusal: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule; `state`: turned off, or a season that is to come, runs, or is over; empty for others."""

    key: str
    kind: RuleKind
    name: str
    change: str
    is_dearer: bool
    sentence: str
    state: Literal["", "off", "to-come", "runs", "over"]


@dataclass(frozen=True, slots=True)
class RulesView:
    office: Office
    rules: tuple[RuleRow, ...]
    done: str = ""
    undo: Undo | None = None
    history: tuple[HistoryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class RulePreview:
    """An example trip, without the rule and with it. `note`: why the totals are alike."""

    sentence: str
    before: Money
    quote: TriedQuote
    note: str = ""


@dataclass(frozen=True, slots=True)
class RuleView:
    """The form of a rule; `key` is empty for a new one."""

    office: Office
    key: str
    kinds: tuple[Choice, ...]
    weekdays: tuple[Choice, ...]
    lines: tuple[Option, ...]
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    preview: RulePreview | None = None


@dataclass(frozen=True, slots=True)
class CodeRow:
    """A code; `share`: how much of the limit is used, of 100, where there is one."""

    id: UUID
    code: str
    worth: str
    used: int
    limit: int | None
    person_limit: int | None
    share: int | None
    starts: date | None
    ends: date | None
    minimum: Money | None
    state: Literal["good", "to-come", "over", "ended", "used-up"]
    gave: tuple[Money, ...]


@dataclass(frozen=True, slots=True)
class CodesView:
    office: Office
    codes: tuple[CodeRow, ...]
    pages: Pages
    done: str = ""
    history: tuple[HistoryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class NewCodeView:
    office: Office
    currency: str
    kinds: tuple[Choice, ...]
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class TermsCard:
    """The terms of a type of seat (empty: any), in the sentences that travellers read."""

    seat_type: str
    title: str
    sentences: tuple[str, ...]
    is_default: bool


@dataclass(frozen=True, slots=True)
class TermsView:
    """`others`: types of seats that have no terms of their own yet."""

    office: Office
    cards: tuple[TermsCard, ...]
    others: tuple[Option, ...]
    money: tuple[str, ...]
    done: str = ""
    undo: Undo | None = None
    history: tuple[HistoryLine, ...] = ()


@dataclass(frozen=True, slots=True)
class EditTermsView:
    """`tiers`: how many rows the form has. `preview`: what travellers would read."""

    office: Office
    title: str
    seat_type: str
    currency: str
    tiers: int
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    preview: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class MoneyTermsView:
    office: Office
    currency: str
    ways: tuple[Choice, ...]
    typed: Mapping[str, str]
    errors: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
