"""The sandbox's payment page, and the page to which travellers come back from paying."""

from collections.abc import Sequence
from contextlib import suppress
from typing import Annotated
from urllib.parse import urlsplit
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, Response, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import SYSTEM, Actor
from farebox.bookings import Booking, BookingExpired, NotModifiable, extend_booking, get_booking
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.inventory import ExtensionLimit, HoldTerms
from farebox.payments import (
    BANK,
    NotPayable,
    PaymentRequired,
    PaymentView,
    SandboxOutcome,
    UnknownProvider,
    cancel_booking,
    confirm_paid,
    due_for,
    get_payment,
    list_payments,
    look_after,
    play_sandbox,
)
from farebox.web.pages import AnyRequest, is_part, own_path, page, see_other
from farebox.web.shop.checkouts import checkout_origins, page_of
from farebox.web.shop.clocks import clock_of_booking
from farebox.web.shop.conditions import moment
from farebox.web.shop.methods import method_label, method_options, methods_of, received
from farebox.web.shop.story import zone_of
from farebox.web.views.checkout import FailedView, ProcessingView, SandboxView
from farebox.wiring import Services

OUTCOMES: dict[str, SandboxOutcome] = {
    "pay": "succeeded",
    "decline": "failed",
    "late": "late",
    "twice": "twice",
    "part": "partial",
    "silent": "silent",
}
WALLET_PAGE = "/account/wallet"
PATIENCE_SECONDS = 60
SANDBOX = "sandbox"

FAILURES = {
    "declined": N_("The bank or wallet declined the payment."),
    "expired": N_("The time of the payment page was over."),
    "cancelled": N_("The payment was called off on its page."),
    "provider-unavailable": N_("The payment service did not answer. Please try again, or pay another way."),
    "wrong-amount": N_("Another amount arrived than was asked for. What cannot count goes back to you."),
}
"""Why a payment came to nothing -> what we tell; for other words of providers, nothing."""

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class SandboxController(Controller):
    """Stands in for a bank's page, so it asks for no session: who has the address of the payment may end it."""

    path = "/pay/sandbox/{payment_id:uuid}"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def sandbox(
        self, request: AnyRequest, work: UnitOfWork, services: Services, payment_id: UUID
    ) -> Template | Redirect:
        if SANDBOX not in services.providers:
            raise UnknownProvider
        payment = await get_payment(work, payment_id, actor=SYSTEM)
        reference = ""
        if payment.booking_id:
            reference = (await get_booking(work, payment.booking_id, actor=SYSTEM)).reference
        view = SandboxView(
            reference=reference,
            amount=payment.amount,
            action=request.url.path,
            cancel_url=_back(payment),
            status="" if payment.is_open else _("This payment has ended already. Going on shows what became of it."),
        )
        return page(request, "checkout/sandbox.html", view, is_private=True)

    @post()
    async def play(self, services: Services, payment_id: UUID, data: Form) -> Redirect:
        """Let the sandbox answer as chosen, and go back to the shop, as a bank would."""
        outcome = OUTCOMES.get(data.get("outcome", ""), "failed")
        try:
            payment = await play_sandbox(
                services.database, payment_id, outcome, providers=services.providers, signer=services.secrets
            )
        except NotPayable:  # another way was chosen meanwhile; the page says that it has ended
            return see_other(f"/pay/sandbox/{payment_id}")
        return see_other(_back(payment))


def _back(payment: PaymentView) -> str:
    """Where the payer goes from the sandbox's page: a page of ours, whatever was asked for."""
    parts = urlsplit(payment.return_url or "")  # of another host, its path may look like an address: //elsewhere
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return own_path(path, f"/bookings/{payment.booking_id}/return" if payment.booking_id else WALLET_PAGE)


class ReturnController(Controller):
    """After paying: waits for the provider's word where it has not come yet."""

    path = "/bookings/{booking_id:uuid}"
    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get("/return")
    async def come_back(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect | Response[None]:
        """Safe to open as often as one likes: it confirms what was paid and changes nothing else."""
        if await _is_paid(work, booking_id, actor, services):
            return _go(request, f"/bookings/{booking_id}?booked=1")
        booking = await get_booking(work, booking_id, actor=actor)
        payments = await list_payments(work, booking_id, actor=actor)
        if booking.status == "payment_processing" and payments:
            view = await _processing(work, booking, payments[0], services)
            return page(request, "checkout/processing.html", view, is_private=True)
        if booking.status == "pending":
            has_failed = bool(payments) and payments[0].status == "failed"
            return _go(request, f"/bookings/{booking_id}/{'failed' if has_failed else 'review'}")
        return _go(request, f"/bookings/{booking_id}")

    @get("/failed")
    async def failed(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID
    ) -> Template | Redirect:
        booking = await get_booking(work, booking_id, actor=actor)
        if booking.status != "pending":
            return see_other(f"/bookings/{booking_id}")
        payments = await list_payments(work, booking_id, actor=actor)
        view = await _failed(work, booking, payments, services)
        origins = checkout_origins(services.providers)
        return page(request, "checkout/failed.html", view, is_private=True, form_origins=origins)

    @post("/failed")
    async def after_failure(
        self, work: UnitOfWork, actor: Actor, services: Services, booking_id: UUID, data: Form
    ) -> Redirect:
        """Give the seats back, or have more time."""
        if data.get("cancel"):
            await cancel_booking(work, booking_id, actor=actor)
            return see_other(f"/bookings/{booking_id}")
        with suppress(ExtensionLimit, BookingExpired, NotModifiable):  # the clock says so
            await extend_booking(work, booking_id, actor=actor, terms=HoldTerms.of(services.settings))
        return see_other(f"/bookings/{booking_id}/failed")


async def _is_paid(work: UnitOfWork, booking_id: UUID, actor: Actor, services: Services) -> bool:
    """Whether the money is there. The provider is asked where its message has not come yet."""
    for is_last in (False, True):
        with suppress(PaymentRequired, BookingExpired, NotPayable):
            await confirm_paid(work, booking_id, actor=actor, signer=services.secrets)
            return True
        waiting = [payment for payment in await list_payments(work, booking_id, actor=actor) if payment.is_open]
        if is_last or not waiting:
            break
        await work.commit()  # asking takes time, and this request must not sit on a connection meanwhile
        await look_after(services.database, waiting[0].id, providers=services.providers, signer=services.secrets)
    return False


def _go(request: AnyRequest, url: str) -> Redirect | Response[None]:
    """Move the whole page on, also where only a part of it was asked for."""
    return Response(None, headers={"HX-Redirect": url}) if is_part(request) else see_other(url)


async def _processing(work: UnitOfWork, booking: Booking, payment: PaymentView, services: Services) -> ProcessingView:
    waited = (work.now - payment.created_at).total_seconds()
    due = await due_for(work, booking)
    facts = [(_("Way of paying"), method_label(payment.method, booking.total.currency, services.providers))]
    if booking.expires_at:
        facts.append((_("Seats kept until"), moment(booking.expires_at, zone_of(booking))))
    return ProcessingView(
        reference=booking.reference,
        amount=due,
        refresh_url=f"/bookings/{booking.id}/return",
        payment_url=page_of(payment, services.settings) if payment.is_open else "",
        facts=tuple(facts),
        received=received(booking, due),
        waited_long=waited > PATIENCE_SECONDS,
        is_transfer=payment.provider == BANK,
    )


async def _failed(
    work: UnitOfWork, booking: Booking, payments: Sequence[PaymentView], services: Services
) -> FailedView:
    due = await due_for(work, booking)
    latest = payments[0] if payments else None
    methods = methods_of(booking, services.providers, work.now)
    zone = ZoneInfo(zone_of(booking))
    return FailedView(
        reference=booking.reference,
        amount=due,
        pay_url=f"/bookings/{booking.id}/review",
        review_url=f"/bookings/{booking.id}/review",
        action=f"/bookings/{booking.id}/failed",
        clock=await clock_of_booking(work, booking),
        methods=method_options(methods, latest.method if latest else ""),
        reason=_(FAILURES.get(latest.failure or "", "")) if latest else "",
        held_until=booking.expires_at.astimezone(zone) if booking.expires_at else None,
        received=received(booking, due),
    )
