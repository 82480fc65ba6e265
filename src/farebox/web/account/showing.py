"""What the pages of people with an account have in common."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import cast

from babel.dates import format_timedelta
from litestar.datastructures import Cookie
from litestar.response import Template

from farebox.accounts import Actor, Person, get_person
from farebox.bookings import SOLD, Booking, BookingStatus, actions_of
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError
from farebox.core.i18n import locale
from farebox.web.account.person import person_of
from farebox.web.me import ME_COOKIE, me_cookie
from farebox.web.pages import AnyRequest, page
from farebox.web.shop.booked import cards_of
from farebox.web.shop.booking import STATES, pay_url, ran_out
from farebox.web.shop.finding import whole_number
from farebox.web.views.account import BookingLine, NoticeWord, Pages
from farebox.web.views.checkout import Problem
from farebox.wiring import Services

NOTICES = frozenset({"saved", "picture", "no-picture", "ended", "ended-all"})
MOST_PAGES = 999


async def me(work: UnitOfWork, actor: Actor, services: Services) -> Person:
    """The one whose pages these are."""
    return await get_person(work, person_of(actor), secrets=services.secrets)


def as_traveller(actor: Actor) -> Actor:
    """The same person with nothing but what is their own: their pages never show what their work lets them see."""
    return replace(actor, roles=frozenset(), grants=())


def account_page(
    request: AnyRequest,
    name: str,
    view: object,
    *,
    person: Person,
    services: Services,
    status: int = 200,
    cookies: Sequence[Cookie] = (),
    form_origins: Sequence[str] = (),
) -> Template:
    """A page in the account's frame. Where the head of the pages does not show the person rightly, it will."""
    shown = me_cookie(person, services.settings)
    if request.cookies.get(ME_COOKIE) != shown.value:
        cookies = [*cookies, shown]
    return page(request, name, view, status=status, is_private=True, cookies=cookies, form_origins=form_origins)


def said_in(request: AnyRequest) -> NoticeWord:
    """What the page has to tell after a form was taken."""
    word = request.query_params.get("said", "")
    return cast("NoticeWord", word) if word in NOTICES else ""


def line_of(booking: Booking, now: datetime) -> BookingLine:
    """A booking in a list, by the first of its trips that is not over."""
    first = next((place for place, item in enumerate(booking.items) if item.completes_at > now), 0)
    starts_at = booking.items[first].starts_at
    ends_at = max(item.completes_at for item in booking.items)
    is_sold = booking.status is BookingStatus.CONFIRMED
    trips = cards_of(booking)
    trips = (*trips[first:], *trips[:first])
    at, possible = f"/bookings/{booking.id}", actions_of(booking, now)
    return BookingLine(
        url=at,
        reference=booking.reference,
        state="expired" if ran_out(booking) else STATES[booking.status],
        trips=trips,
        seats=tuple(booking.items[first].seat_numbers),
        travellers=max(len(item.units) for item in booking.items),
        total=booking.total,
        until=in_words(starts_at - now) if is_sold and starts_at > now else "",
        is_running=is_sold and starts_at <= now < ends_at,
        pay_url=pay_url(booking),
        expires_at=booking.expires_at.astimezone(trips[0].board.time.tzinfo) if booking.expires_at else None,
        pdf_url=f"{at}/tickets.pdf" if booking.status in SOLD else "",
        change_url=f"{at}/change" if possible.change else "",
        cancel_url=f"{at}/cancel" if possible.cancel else "",
        again_url=f"{at}/again" if possible.rebook else "",
        is_given_up=booking.confirmed_at is not None and booking.status not in SOLD,
    )


def in_words(distance: timedelta) -> str:
    """In 3 days; 2 hours ago."""
    return format_timedelta(distance, add_direction=True, locale=locale())


def page_number(request: AnyRequest) -> int:
    """From the address, counted from 1."""
    return min(max(whole_number(request.query_params.get("page", ""), 1), 1), MOST_PAGES)


def pages_of(path: str, query: str, number: int, size: int, total: int) -> Pages:
    """Which part of a list a page shows, and the addresses of those beside it."""
    first = (number - 1) * size + 1 if total else 0
    last = min(number * size, total)

    def at(other: int) -> str:
        return f"{path}?{query}page={other}" if other > 1 else f"{path}?{query}".rstrip("?&")

    has_more = last < total and number < MOST_PAGES
    return Pages(first, last, total, at(number - 1) if number > 1 else "", at(number + 1) if has_more else "")


def problems_of(errors: Iterable[FieldError], anchors: dict[str, str]) -> tuple[dict[str, str], tuple[Problem, ...]]:
    """Messages by the names of the form's fields, and the summary above it.

    Args:
        anchors: by the beginning of an error's field, the name of the form's field, which is also its anchor.
    """
    by_name: dict[str, str] = {}
    for error in errors:
        name = next((anchor for start, anchor in anchors.items() if error.field.startswith(start)), "main")
        by_name.setdefault(name, error.text())
    return by_name, tuple(Problem(name, text) for name, text in by_name.items())
