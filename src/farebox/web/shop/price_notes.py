"""Why a line of a price is there, in a few words under it."""

from typing import Final

from farebox.bookings import BookedLine, BookingItem
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.web.shop.cards import way_in_words

NOTES: Final = {
    "fare-": N_("Fare for the whole stretch"),
    "rule-": N_("By a price rule of the operator"),
    "seat": N_("For this place in the vehicle"),
    "open-return-fare-": N_("To ride back on a day that you choose later"),
    "open-return-rule-": N_("By a price rule of the operator"),
    "open-return-tax": N_("Added to the price by law"),
    "promotion": N_("Taken off by the code"),
    "tax": N_("Added to the price by law"),
    "service-fee": N_("Once for the trip, however many seats"),
}
"""How a line's label begins -> what it is for. Lines that say it all themselves have no note."""


def note_of(line: BookedLine) -> str:
    """What a line is for."""
    return next((_(note) for start, note in NOTES.items() if line.label.startswith(start)), "")


def way_of_line(line: BookedLine, items: tuple[BookingItem, ...]) -> str:
    """Of several rides, which a line is of."""
    if line.open_return_id is not None:
        return ""
    ways = {item.id: way_in_words(item.description) for item in items}
    return ways.get(line.item_id, "") if len(items) > 1 else ""
