"""What is printed on paper: the cards, and the words around them in the reader's language."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

import msgspec

from farebox.core.i18n import current_language, gettext
from farebox.ticketing.cards import TicketCard
from farebox.ticketing.qr import qr_svg

# One document at a time: the press is fast, and typst's compiler is not shared between threads.
_press: Final = ThreadPoolExecutor(max_workers=1, thread_name_prefix="farebox-press")


def document_of(cards: Sequence[TicketCard]) -> dict[str, Any]:
    """All that is printed, as the template reads it; one page a card."""
    title = gettext("E-ticket {reference}").format(reference=cards[0].reference)
    return {
        "title": title,
        "author": cards[0].operator,
        "description": cards[0].heading,
        "language": current_language(),
        "fonts": ["Inter"],
        "words": _words(),
        "cards": [_page(card) for card in cards],
    }


async def print_aside(document: dict[str, Any]) -> bytes:
    """The PDF of what `document_of` made, printed beside the event loop, one document after the other."""
    return await asyncio.get_running_loop().run_in_executor(_press, print_now, document)


async def print_with(template: str, document: dict[str, Any]) -> bytes:
    """The PDF of a document for another template, printed beside the event loop.

    Args:
        template: one of `templates`.
        document: what it reads. Its texts may be anybody's: none of them is markup.
    """

    def press() -> bytes:
        from farebox.ticketing.press import print_document  # noqa: PLC0415  (as below)

        return print_document(document, template)

    return await asyncio.get_running_loop().run_in_executor(_press, press)


def print_now(document: dict[str, Any]) -> bytes:
    """The PDF of what `document_of` made. Not for two threads at once."""
    from farebox.ticketing.press import print_document  # noqa: PLC0415  (its memory is for those who print)

    # Drawing a code takes 6 ms, too long for the event loop when a group has sixty.
    pages = [page | {"qr": qr_svg(page["token"])} for page in document["cards"]]
    return print_document(document | {"cards": pages})


def _page(card: TicketCard) -> dict[str, Any]:
    facts: dict[str, Any] = msgspec.to_builtins(card)
    alternative = gettext("QR code of the ticket of {passenger}, seat {seat}")
    return facts | {"qr_alt": alternative.format(passenger=card.passenger, seat=card.seat)}


def _words() -> dict[str, str]:
    return {
        "kind": gettext("E-ticket"),
        "passenger": gettext("Passenger"),
        "seat": gettext("Seat"),
        "seat_kind": gettext("Seat type"),
        "document": gettext("Document"),
        "type": gettext("Passenger type"),
        "line": gettext("Line"),
        "platform": gettext("Platform"),
        "vehicle": gettext("Vehicle"),
        "show_code": gettext("Show this code at the door. It works without a network."),
        "item": gettext("Item"),
        "amount": gettext("Amount"),
        "fare": gettext("Fare"),
        "booking": gettext("Booking"),
        "terms": gettext("Terms"),
        "contact": gettext("Contact"),
    }
