"""The life of a booking in plain words, out of its audit."""

from collections.abc import Sequence
from typing import Final
from zoneinfo import ZoneInfo

from farebox.bookings import AuditEntry, Booking, BookingStatus, FormerSeat
from farebox.core.crypto import Secrets
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.web.shop.booked import person_row
from farebox.web.shop.cards import way_in_words
from farebox.web.shop.conditions import moment
from farebox.web.views.booking import FormerRow, StoryLine

STEPS: Final = {
    "created": N_("Booked; the seats wait for the payment"),
    "modified": N_("Details of the booking changed"),
    "payment-started": N_("Payment begun"),
    "payment-failed": N_("A payment did not go through; the seats stayed held"),
    "paid": N_("Paid and confirmed"),
    "nothing-to-pay": N_("Confirmed; there was nothing to pay"),
    "partially-paid": N_("A part was paid"),
    "reduced": N_("Cancelled for some passengers"),
    "changed": N_("Moved to another trip or seat"),
    "renamed": N_("Names changed"),
    "open-return-redeemed": N_("The ride back was chosen"),
    "open-returns-ended": N_("The open return was not used in time"),
    "change-started": N_("A change waits for its payment"),
    "change-withdrawn": N_("The change was taken back; everything stayed as it was"),
    "change-expired": N_("The change was not paid in time; everything stayed as it was"),
    "change-seats-gone": N_("The new seats had gone; everything stayed as it was"),
    "allowance": N_("The operator took something off the price"),
    "refunded": N_("Paid back"),
    "dispute_lost": N_("The payer's bank took the payment back"),
    "arrived": N_("Trip over"),
    "adopted": N_("Kept in an account"),
    "claimed": N_("Kept in an account"),
    "expired": N_("Not paid in time; the seats are free for others"),
}
"""Reason of an entry -> what happened. Of others it is told where they led, if they led anywhere."""

MODIFIED: Final = {
    ("promotion",): N_("Promotion code changed"),
    ("openReturn",): N_("Open return added or left out"),
    ("contact",): N_("Contact changed"),
    ("passengers",): N_("Passengers changed"),
}
"""What was changed before paying -> what happened, where it was one thing alone."""

STATES: Final = {
    BookingStatus.PENDING: N_("Waits for its payment"),
    BookingStatus.PAYMENT_PROCESSING: N_("Payment begun"),
    BookingStatus.CONFIRMED: N_("Confirmed"),
    BookingStatus.COMPLETED: N_("Trip over"),
    BookingStatus.CANCELLED: N_("Cancelled"),
    BookingStatus.REFUNDED: N_("Paid back"),
}
"""For a step whose reason says no more than where it led."""


def story_of(booking: Booking, entries: Sequence[AuditEntry]) -> tuple[StoryLine, ...]:
    """All that happened, in order. Of notes, only the traveller's own: what staff write is between them."""
    zone = ZoneInfo(zone_of(booking))
    return tuple(
        StoryLine(
            at=entry.at.astimezone(zone),
            text=_(_step(entry)),
            detail=str(entry.facts.get("note") or "") if _is_own(entry, booking) else "",
            by=_who(entry, booking),
        )
        for entry in entries
        if entry.reason in STEPS or entry.from_status is not entry.to_status
    )


def _step(entry: AuditEntry) -> str:
    if entry.reason == "modified":
        return MODIFIED.get(tuple(entry.facts.get("changed", ())), STEPS["modified"])
    return STEPS.get(entry.reason) or STATES[entry.to_status]


def former_of(booking: Booking, secrets: Secrets) -> tuple[FormerRow, ...]:
    """The seats that were given up while the booking lives on."""
    return tuple(_former(each, secrets) for each in booking.former)


def zone_of(booking: Booking) -> str:
    """Where the booking's first trip begins: its own instants are told in that zone."""
    items = [item.description for item in booking.items] or [each.description for each in booking.former]
    return items[0].origin.timezone


def _former(seat: FormerSeat, secrets: Secrets) -> FormerRow:
    about = seat.description
    told = _("Cancelled on {moment}") if seat.ended_as == "cancelled" else _("Changed on {moment}")
    return FormerRow(
        person=person_row(seat.passenger, about, secrets),
        ride=f"{way_in_words(about)}, {moment(about.origin.time, about.origin.timezone)}",
        told=told.format(moment=moment(seat.ended_at, about.origin.timezone)),
    )


def _who(entry: AuditEntry, booking: Booking) -> str:
    """Whose act it was, from the traveller's side."""
    kind = entry.actor.partition(":")[0]
    if kind in {"system", "anonymous"}:
        return ""
    return _("by you") if _is_own(entry, booking) else _("by the operator")


def _is_own(entry: AuditEntry, booking: Booking) -> bool:
    """Whether the traveller did it, signed in, as a visitor, or by the booking's code."""
    return entry.actor == booking.owner or entry.actor.partition(":")[0] == "guest"
