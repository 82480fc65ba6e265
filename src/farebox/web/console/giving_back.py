"""Giving back a part of what was paid, or all of it, while the traveller still travels: asked, told, then done."""

from dataclasses import replace
from typing import Final, cast
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.bookings import PriceChanged
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.payments import (
    BY_HAND,
    Destination,
    PaymentNotFound,
    RefundTooLarge,
    get_booking_money,
    most_to_refund,
    refund_payment,
)
from farebox.web.console.money_words import came_by
from farebox.web.console.office import Form, office_of
from farebox.web.console.till import booking_url
from farebox.web.console.typed import Typed
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import Choice
from farebox.web.views.till import GiveBackView

UNREADABLE: Final = 422
CONFLICT: Final = 409


class GiveBackController(Controller):
    """It asks for a fresh proof before anything is typed."""

    path = "/console/{operator_id:uuid}/till/bookings/{booking_id:uuid}/payments/{payment_id:uuid}/back"
    opt = {"access": "staff", "permission": Permission.PAYMENTS_REFUND, "step_up": True}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        payment_id: UUID,
        work: UnitOfWork,
        actor: Actor,
    ) -> Template:
        view = await _view(work, operator_id, booking_id, payment_id, actor)
        return page(request, "console/give_back.html", view, is_private=True)

    @post()
    async def give(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        payment_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        data: Form,
    ) -> Template | Redirect:
        """What it does is told first; done is what was told, and once: the price is another one afterwards."""
        view = replace(await _view(work, operator_id, booking_id, payment_id, actor), typed=data)
        typed = Typed(data, view.most.currency)
        amount, note, to = typed.needed_amount("amount"), typed.text("note"), data.get("to", "")
        if not amount and not typed.errors:
            typed.refuse("amount", _("Enter an amount above zero."))
        if amount.minor > view.most.minor:
            typed.refuse("amount", RefundTooLarge(left=view.most).text())
        if not note:
            typed.refuse("note", _("Say why."))
        if to not in {way.value for way in view.ways}:
            typed.refuse("to", _("Choose one."))
        if typed.errors:
            again = replace(view, errors=typed.errors)
            return page(request, "console/give_back.html", again, status=UNREADABLE, is_private=True)
        told = replace(view, amount=amount)
        if not data.get("go"):
            return page(request, "console/give_back.html", told, is_private=True)
        if data.get("expected") != str(view.price.minor):
            again = replace(told, changed=PriceChanged().text())
            return page(request, "console/give_back.html", again, status=CONFLICT, is_private=True)
        await refund_payment(work, payment_id, amount, to=cast("Destination", to), note=note, actor=actor)
        return see_other(f"{view.booking_url}?done=given")


async def _view(work: UnitOfWork, operator_id: UUID, booking_id: UUID, payment_id: UUID, actor: Actor) -> GiveBackView:
    """The booking stays as it is until the request ends.

    Raises:
        PaymentNotFound: no such payment of this booking, or none that this actor may give back.
    """
    office = await office_of(work, operator_id, "till", actor=actor)
    booking, most = await most_to_refund(work, payment_id, actor=actor)
    money = await get_booking_money(work, operator_id, booking_id, actor=actor)
    payment = next((each for each in money.payments if each.id == payment_id), None)
    if payment is None or booking.id != booking_id:
        raise PaymentNotFound
    is_by_hand = payment.provider in BY_HAND
    how = _("It is then among the refunds to be paid out") if is_by_hand else _("Its provider is asked for it at once")
    ways = [Choice("origin", _("The way it was paid"), how)]
    if booking.owner.startswith("user:"):
        ways.append(Choice("wallet", _("Into the traveller's wallet"), _("At once, as money for further trips")))
    at = booking_url(office, booking_id)
    return GiveBackView(
        office=office,
        booking_url=at,
        action=f"{at}/payments/{payment_id}/back",
        booking_reference=booking.reference,
        came_by=came_by(payment.provider),
        paid=payment.amount,
        most=most,
        price=booking.total,
        ways=tuple(ways),
        typed={},
    )
