"""The one table of what may become of a hold. The SQL of each command repeats its sources as a guard."""

from typing import Final

from farebox.inventory.views import HoldState

TRANSITIONS: Final[dict[str, tuple[frozenset[HoldState], HoldState | None]]] = {
    "extend": (frozenset({"held"}), "held"),
    "rearm": (frozenset({"held"}), "held"),
    "confirm": (frozenset({"held"}), "confirmed"),
    "expire": (frozenset({"held"}), "expired"),
    "release": (frozenset({"held", "confirmed"}), "released"),
    "swap": (frozenset({"held", "confirmed"}), None),
    "unblock": (frozenset({"blocked"}), "released"),
    # Money that arrives after the end: what was never sold may be sold late, under the id that the payer knows.
    "reclaim": (frozenset({"held", "expired", "released"}), "confirmed"),
}
"""Command -> (states that it starts from, state that it ends in; `None`: the one that it was in)."""


def sources(command: str) -> list[str]:
    """The states from which the command starts, for the SQL guard."""
    return sorted(TRANSITIONS[command][0])


def target(command: str) -> HoldState:
    state = TRANSITIONS[command][1]
    assert state is not None, "asked only of commands that change the state"
    return state


def is_allowed(command: str, state: HoldState) -> bool:
    return state in TRANSITIONS[command][0]
