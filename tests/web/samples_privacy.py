"""The pages about one's data, with made-up content, for the gallery."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from farebox.web.views.privacy import AccessRow, ConsentRow, EraseView, KeepView, PrivacyView, UnsubscribeView

Sample = Callable[[], tuple[str, object, dict[str, Any]]]

EMAIL = "an.nguyen@example.com"
WORDING = "I would like to get offers and news by e-mail. I can end this at any time."
CONSENTS = (ConsentRow("marketing-email", WORDING, True), ConsentRow("marketing-sms", "… by text message.", False))
ACCESSES = (
    AccessRow(
        datetime(2026, 11, 20, 9, 30, tzinfo=UTC), "Somebody at Sao Mai Lines", "Opened booking BUS20261120K7QM2X"
    ),
    AccessRow(datetime(2026, 11, 19, 18, 5, tzinfo=UTC), "You", "Changed the account: First name, Phone"),
)
KEPT = KeepView("/bookings/1/account", "/sign-in?next=/bookings/1", EMAIL)


def _of(template: str, view: object) -> Sample:
    return lambda: (f"{template}.html", view, {})


PAGES: dict[str, Sample] = {
    "privacy": _of("account/privacy", PrivacyView(CONSENTS, ACCESSES, "/account/privacy?all=1", "saved", 90, 10)),
    "privacy-new": _of("account/privacy", PrivacyView(CONSENTS, (), "", "", 90, 10)),
    "privacy-erase": _of("account/privacy_erase", EraseView(EMAIL, (), (), 10)),
    "privacy-erase-wrong": _of(
        "account/privacy_erase", EraseView(EMAIL, (), (), 10, "This is not the address of your account.")
    ),
    "privacy-erase-not-yet": _of(
        "account/privacy_erase", EraseView(EMAIL, ("A trip of yours is still ahead.",), ("BUS20261120K7QM2X",), 10)
    ),
    "privacy-goodbye": _of("account/privacy_goodbye", None),
    "unsubscribe": _of("account/privacy_unsubscribe", UnsubscribeView("/unsubscribe/x", WORDING, False)),
    "unsubscribed": _of("account/privacy_unsubscribe", UnsubscribeView("/unsubscribe/x", WORDING, True)),
    "unsubscribe-unknown": _of("account/privacy_unsubscribe", UnsubscribeView("/unsubscribe/x", "", False)),
    "keep": _of("booking/keep", KEPT),
    "keep-wrong": _of("booking/keep", replace(KEPT, error="This password is too common.")),
}
