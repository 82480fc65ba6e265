"""The console's pages, with made-up content, for the gallery."""

from collections.abc import Callable
from typing import Any

from tests.web import samples_prices, samples_till, samples_today

from farebox.web.views.console import PairedPage, PairPage

Sample = Callable[[], tuple[str, object, dict[str, Any]]]

PAGES: dict[str, Sample] = {
    "pair": lambda: ("console/pair.html", PairPage(), {}),
    "pair-wrong": lambda: (
        "console/pair.html",
        PairPage("K7QM-2XW9", "Door 2", "This code is not right, or its time is over."),
        {},
    ),
    "paired": lambda: ("console/paired.html", PairedPage("Door 2", "Trường Sơn Lines"), {}),
    **samples_prices.PAGES,
    **samples_till.PAGES,
    **samples_today.PAGES,
}
