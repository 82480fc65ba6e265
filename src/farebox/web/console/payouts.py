"""Refunds that the staff pay out by hand, and those that failed and are made again."""

from dataclasses import replace
from typing import Final, cast
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.bookings import get_sold_booking
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.payments import (
    Destination,
    HandRefund,
    NoWallet,
    RefundNotFound,
    get_hand_refund,
    note_paid_out,
    refund_again,
)
from farebox.web.console.money_words import reason_of
from farebox.web.console.office import LONGEST, Form, office_of
from farebox.web.console.till import booking_url
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import Choice
from farebox.web.views.till import AgainView, PayoutView
from farebox.wiring import Services

UNREADABLE: Final = 422
REFUSED: Final = 409


class PayoutsController(Controller):
    """Both ask for a fresh proof before anything is typed."""

    path = "/console/{operator_id:uuid}/till/refunds/{refund_id:uuid}"
    opt = {"access": "staff", "permission": Permission.PAYMENTS_REFUND, "step_up": True}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/paid")
    async def ask(
        self, request: AnyRequest, operator_id: UUID, refund_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        view = await _payout(work, operator_id, refund_id, actor)
        return page(request, "console/payout.html", view, is_private=True)

    @post("/paid")
    async def note(
        self,
        request: AnyRequest,
        operator_id: UUID,
        refund_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: Form,
    ) -> Template | Redirect:
        view = await _payout(work, operator_id, refund_id, actor)
        reference = data.get("reference", "")[:LONGEST]
        try:
            await note_paid_out(work, refund_id, reference, actor=actor, signer=services.secrets)
        except Invalid as invalid:
            again = replace(view, typed=data, errors={"reference": invalid.errors[0].text()})
            return page(request, "console/payout.html", again, status=UNREADABLE, is_private=True)
        return see_other(f"{view.booking_url}?done=paid")

    @get("/again")
    async def ask_how(
        self, request: AnyRequest, operator_id: UUID, refund_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        view = await _again(work, operator_id, refund_id, actor)
        return page(request, "console/refund_again.html", view, is_private=True)

    @post("/again")
    async def make_again(
        self, request: AnyRequest, operator_id: UUID, refund_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        view = await _again(work, operator_id, refund_id, actor)
        chosen = data.get("to", "")
        if chosen not in {way.value for way in view.ways}:
            again = replace(view, error=_("Choose one."))
            return page(request, "console/refund_again.html", again, status=UNREADABLE, is_private=True)
        try:
            await refund_again(work, refund_id, to=cast("Destination", chosen), actor=actor)
        except NoWallet as refused:
            again = replace(view, chosen=chosen, error=refused.text())
            return page(request, "console/refund_again.html", again, status=REFUSED, is_private=True)
        return see_other(f"{view.booking_url}?done=again")


async def _payout(work: UnitOfWork, operator_id: UUID, refund_id: UUID, actor: Actor) -> PayoutView:
    """Raises: RefundNotFound: none of this operator's that is to be paid out."""
    office = await office_of(work, operator_id, "till", actor=actor)
    refund = await _owed(work, operator_id, refund_id, actor)
    assert refund.booking_id is not None  # what goes out of wallets is no operator's
    return PayoutView(
        office=office,
        booking_url=booking_url(office, refund.booking_id),
        action=f"{office.path}/till/refunds/{refund_id}/paid",
        booking_reference=refund.reference,
        amount=refund.amount,
        reason=reason_of(refund.reason),
        typed={},
    )


async def _again(work: UnitOfWork, operator_id: UUID, refund_id: UUID, actor: Actor) -> AgainView:
    """Raises: RefundNotFound: none of this operator's that was refused."""
    office = await office_of(work, operator_id, "till", actor=actor)
    refund = await _owed(work, operator_id, refund_id, actor)
    assert refund.booking_id is not None  # what goes out of wallets is no operator's
    if not refund.is_refused:
        raise RefundNotFound
    booking = await get_sold_booking(work, operator_id, refund.booking_id, actor=actor)
    ways = [Choice("origin", _("The way it was paid"), _("The provider is asked once more"))]
    if booking.owner.startswith("user:"):
        ways.append(Choice("wallet", _("Into the traveller's wallet"), _("At once, as money for further trips")))
    return AgainView(
        office=office,
        booking_url=booking_url(office, refund.booking_id),
        action=f"{office.path}/till/refunds/{refund_id}/again",
        booking_reference=refund.reference,
        amount=refund.amount,
        ways=tuple(ways),
    )


async def _owed(work: UnitOfWork, operator_id: UUID, refund_id: UUID, actor: Actor) -> HandRefund:
    refund = await get_hand_refund(work, operator_id, refund_id, actor=actor)
    if refund.is_paid:
        raise RefundNotFound
    return refund
