"""Seats that are chosen for people of a booking: one for each, beside the seats that they have now and may keep."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from farebox.coaches import SeatMap
from farebox.core.i18n import gettext as _
from farebox.core.i18n import ngettext
from farebox.web.shop.lost_seats import Outcome
from farebox.web.shop.stretches import Stretch


def own_seats(seats: SeatMap, stretch: Stretch) -> frozenset[str]:
    """Those of a map that these people have now."""
    return frozenset(seat.number for seat in seats.seats if seat.number in stretch.now and seat.status == "occupied")


def can_keep(stretch: Stretch) -> bool:
    """Whether some may keep their seats: one who looks for another alone wants another."""
    return len(stretch.now) > 1


def kept_of(numbers: Sequence[str], own: Collection[str], stretch: Stretch) -> tuple[str, ...]:
    """Which of the seats ticked are people's own, and stay theirs."""
    return tuple(number for number in numbers if number in own) if can_keep(stretch) else ()


def too_many(limit: int) -> str:
    """What is told to those who tick more seats than there are people."""
    return ngettext(
        "One seat is enough: it is for one person. Give it back to choose another.",
        "{limit} seats are enough: they are for {limit} people. Give one back to choose another.",
        limit,
    ).format(limit=limit)


def check_complete(outcome: Outcome, stretch: Stretch) -> Outcome:
    """What came of a choice with which somebody wants to go on, with what is missing for that, if anything is."""
    if not stretch.wanted or outcome.notice:
        return outcome
    chosen = len(outcome.lock.seat_numbers if outcome.lock else ()) + len(outcome.kept)
    if chosen < stretch.wanted:
        missing = stretch.wanted - chosen
        text = ngettext(
            "Choose one more seat: {chosen} of {wanted} chosen.",
            "Choose {missing} more seats: {chosen} of {wanted} chosen.",
            missing,
        )
        return replace(outcome, notice=text.format(missing=missing, chosen=chosen, wanted=stretch.wanted))
    if outcome.lock is None:
        return replace(outcome, notice=_("Everybody would keep their seat. Choose another one for who is to change."))
    return outcome
