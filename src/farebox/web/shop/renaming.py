"""Other names on tickets: who, how, what it costs, and then it is done or paid."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor
from farebox.bookings import (
    Booking,
    BookingStatus,
    ChangeQuote,
    NewName,
    Passenger,
    PriceChanged,
    RenameWish,
    get_booking,
    quote_names,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import format_money
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import rename_passenger
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.finding import parse_id
from farebox.web.shop.people import id_types
from farebox.web.shop.quoted import Form, show_quote, shown_total, view_of
from farebox.web.shop.waiting import pay_for_change
from farebox.web.views.after import ChangeView, RenameView, SeatSwap
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option
from farebox.wiring import Services

LONGEST: Final = 300
UNREADABLE: Final = 422
FIELDS: Final = {"fullName": "full_name", "idType": "id_type", "idNumber": "id_number"}
"""The domain's name of a field -> the form's."""


class RenameController(Controller):
    path = "/bookings/{booking_id:uuid}/names"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, work: UnitOfWork, actor: Actor, booking_id: UUID) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if not _renameable(booking, work):
            return see_other(f"/bookings/{booking_id}")
        return page(request, "after/rename.html", _view(booking, work, request.query_params), is_private=True)

    @post(opt={"rate": "booking"})
    async def rename(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Template | Redirect:
        """Show what it comes to; once that was seen, do it."""
        booking = await get_booking(work, booking_id, actor=actor)
        person = next((each for each in _renameable(booking, work) if str(each.id) == data.get("passenger")), None)
        if person is None:
            return see_other(f"/bookings/{booking_id}")
        typed = {name: data.get(name, "")[:LONGEST].strip() for name in FIELDS.values()}
        wish = RenameWish(
            person.id,
            NewName(
                full_name=typed["full_name"],
                id_type="passport" if typed["id_type"] == "passport" else "citizen_id",
                id_number=typed["id_number"],
            ),
        )
        settings, secrets = services.settings, services.secrets
        changed = ""
        try:
            quote = await quote_names(work, booking, wish, actor=actor, settings=settings, secrets=secrets)
            if data.get("go"):
                done = await rename_passenger(
                    work,
                    booking_id,
                    wish,
                    actor=actor,
                    settings=settings,
                    secrets=secrets,
                    expected_total=shown_total(data, booking),
                )
                if done.waiting is None:
                    return see_other(f"/bookings/{booking_id}?said=renamed")
                return await pay_for_change(work, done.waiting, actor, services, data.get("method", ""))
        except Invalid as error:
            errors = {FIELDS.get(each.field.rpartition(".")[2], "full_name"): each.text() for each in error.errors}
            problems = tuple(Problem(name.replace("_", "-"), text) for name, text in errors.items())
            view = replace(_view(booking, work, data), errors=errors, problems=problems)
            return page(request, "after/rename.html", view, is_private=True, status=UNREADABLE)
        except PriceChanged as error:
            changed = error.text()
        return show_quote(request, _quote_view(booking, person, quote, typed, actor, services, changed), services)


def _renameable(booking: Booking, work: UnitOfWork) -> list[Passenger]:
    """Who can still get another name, each once for all their trips."""
    if booking.status is not BookingStatus.CONFIRMED:
        return []
    in_time = [
        person
        for item in booking.items
        if (until := item.policy.rename_until) and work.now <= until and work.now < item.starts_at
        for person in item.passengers
    ]
    return list({person.full_name: person for person in reversed(in_time)}.values())[::-1]


def _view(booking: Booking, work: UnitOfWork, typed: Mapping[str, str]) -> RenameView:
    people = _renameable(booking, work)
    chosen = parse_id(typed.get("passenger", "")) or people[0].id
    fees = {item.policy.rename_fee_minor for item in booking.items if any(each.item_id == item.id for each in people)}
    fee = Money(max(fees, default=0), booking.total.currency)
    return RenameView(
        reference=booking.reference,
        action=f"/bookings/{booking.id}/names",
        back_url=f"/bookings/{booking.id}",
        people=tuple(Option(str(each.id), f"{each.full_name}, {each.seat_number}") for each in people),
        fee=_("It costs {fee} for each ticket; you see it before anything is changed.").format(fee=format_money(fee))
        if fee
        else _("It is free of charge."),
        chosen=str(chosen),
        full_name=typed.get("full_name", ""),
        id_type=typed.get("id_type", "citizen_id"),
        id_number=typed.get("id_number", ""),
        id_types=id_types(),
    )


def _quote_view(
    booking: Booking,
    person: Passenger,
    quote: ChangeQuote,
    typed: Mapping[str, str],
    actor: Actor,
    services: Services,
    changed: str,
) -> ChangeView:
    seats = {each.id: each.seat_number for each in booking.passengers}
    told = _("{old} becomes {new}").format(old=person.full_name, new=typed["full_name"])
    return view_of(
        booking,
        quote,
        actor,
        services,
        title=_("Another name"),
        action="names",
        hidden=(("passenger", str(person.id)), *typed.items()),
        swaps=tuple(SeatSwap(told, "", seats[each.passenger_id]) for each in quote.people),
        changed=changed,
    )
