"""What was ticked and chosen on the review of a booking, kept while its reader is on another page for a moment.

A cookie keeps it, and is gone once the review is shown again. In an address it would tick the terms for whoever follows
a link, and kept for longer it would tick what was unticked since.
"""

import base64
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from litestar.datastructures import Cookie

from farebox.core.crypto import Secrets
from farebox.core.settings import Settings
from farebox.web.pages import AnyRequest

TICKED_COOKIE: Final = "farebox_ticked"
AWAY_SECONDS: Final = 3600
FIELDS: Final = ("terms", "method", "use_wallet", "promotion")
LONGEST: Final = 40
"""Characters of a field: a promotion code has no more."""


def keep_ticked(booking_id: UUID, typed: Mapping[str, str], settings: Settings, secrets: Secrets) -> Cookie:
    """What the browser brings along to the review of this booking, and nowhere else."""
    kept = urlencode({name: typed.get(name, "")[:LONGEST] for name in FIELDS})
    sealed = secrets.encrypt(kept, place=_place(booking_id))
    return _cookie(booking_id, base64.urlsafe_b64encode(sealed).decode(), AWAY_SECONDS, settings)


def find_ticked(request: AnyRequest, booking_id: UUID, secrets: Secrets) -> dict[str, str]:
    """What was kept of this booking's review; nothing where nothing was, or not by us."""
    try:
        sealed = base64.urlsafe_b64decode(request.cookies.get(TICKED_COOKIE, ""))
        return dict(parse_qsl(secrets.decrypt(sealed, place=_place(booking_id))))
    except ValueError:
        return {}


def forget_ticked(request: AnyRequest, booking_id: UUID, settings: Settings) -> list[Cookie]:
    """For the answer that shows it again, which has it from then on."""
    return [_cookie(booking_id, "", 0, settings)] if TICKED_COOKIE in request.cookies else []


def _place(booking_id: UUID) -> str:
    return f"review/{booking_id}"


def _cookie(booking_id: UUID, value: str, max_age: int, settings: Settings) -> Cookie:
    return Cookie(
        key=TICKED_COOKIE,
        value=value,
        path=f"/bookings/{booking_id}/review",
        max_age=max_age,
        httponly=True,
        secure=settings.base_url.startswith("https:"),
        samesite="lax",
    )
