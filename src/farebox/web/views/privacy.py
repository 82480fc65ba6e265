"""A person's data as their pages show it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


@dataclass(frozen=True, slots=True)
class ConsentRow:
    purpose: str
    wording: str
    is_given: bool


@dataclass(frozen=True, slots=True)
class AccessRow:
    """One time that somebody looked: when in the reader's zone, who and what in words."""

    at: datetime
    who: str
    what: str


@dataclass(frozen=True, slots=True)
class PrivacyView:
    """`said`: what was just done."""

    consents: tuple[ConsentRow, ...]
    accesses: tuple[AccessRow, ...]
    older_url: str
    said: Literal["saved", ""]
    passenger_days: int
    years: int
    zone_told: str = ""


@dataclass(frozen=True, slots=True)
class EraseView:
    """`obstacles`: what is in the way, in words; empty where nothing is. `error`: of the typed address."""

    email: str
    obstacles: tuple[str, ...]
    references: tuple[str, ...]
    years: int
    error: str = ""


@dataclass(frozen=True, slots=True)
class UnsubscribeView:
    """`wording`: what was agreed to; empty: the link is none of ours."""

    url: str
    wording: str
    is_done: bool


@dataclass(frozen=True, slots=True)
class KeepView:
    """A visitor's booking that could be in an account."""

    action: str
    sign_in_url: str
    email: str
    error: str = ""
