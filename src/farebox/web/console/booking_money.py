"""One booking's money for the staff: what came and went back, papers and books; cash, and notes of what came."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.bookings import BookingExpired, BookingStatus, Change, ChangeNotFound, get_pending_change
from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError, Invalid
from farebox.core.i18n import format_time
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import (
    BANK,
    BY_HAND,
    CASH,
    BookingMoney,
    LedgerLine,
    NothingToPay,
    NotPayable,
    PaymentNotFound,
    PaymentStatus,
    PaymentView,
    ReferenceUsed,
    RefundView,
    UnknownMethod,
    get_booking_money,
    list_came,
    note_received,
    take_cash,
)
from farebox.web.console.money_words import BOOKING_STATES, MOVEMENTS, account_of, came_by, reason_of, trip_in_words
from farebox.web.console.office import Form, office_of
from farebox.web.console.till import booking_url
from farebox.web.console.typed import Typed
from farebox.web.days import day_in_words
from farebox.web.money_typed import plain_amount
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.cards import card_of_description, way_in_words
from farebox.web.shop.finding import parse_id
from farebox.web.shop.moneys import INTO, PAYMENTS, amount_of
from farebox.web.views.console import Office
from farebox.web.views.till import (
    BackRow,
    BookingMoneyView,
    ChangeDue,
    LedgerRow,
    PaperRow,
    PaymentRow,
    ReceivedView,
    Tone,
)
from farebox.wiring import Services

UNREADABLE: Final = 422
REFUSED: Final = 409
GIVEABLE: Final = frozenset({PaymentStatus.COMPLETED, PaymentStatus.PARTIALLY_REFUNDED})


class BookingMoneyController(Controller):
    path = "/console/{operator_id:uuid}/till/bookings/{booking_id:uuid}"
    opt = {"access": "staff", "permission": Permission.BOOKINGS_SELL}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def money(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> Template:
        view = await _view(request, work, operator_id, booking_id, actor, services)
        return page(request, "console/booking_money.html", view, is_private=True)

    @post("/cash")
    async def cash(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: Form,
    ) -> Template | Redirect:
        """What is due was handed over, for the booking or for a change of it: it counts at once."""
        view = await _view(request, work, operator_id, booking_id, actor, services)
        try:
            await take_cash(
                work,
                booking_id,
                change_id=parse_id(data.get("change", "")),
                actor=actor,
                settings=services.settings,
                signer=services.secrets,
            )
        except (BookingExpired, ChangeNotFound, NotPayable, NothingToPay, UnknownMethod) as refused:
            view = await _view(request, work, operator_id, booking_id, actor, services, refused)
            return page(request, "console/booking_money.html", view, status=REFUSED, is_private=True)
        return see_other(f"{booking_url(view.office, booking_id)}?done=cash")

    @get("/payments/{payment_id:uuid}/received", opt={"permission": Permission.PAYMENTS_RECEIVE})
    async def ask(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        payment_id: UUID,
        work: UnitOfWork,
        actor: Actor,
    ) -> Template:
        view = await _received(work, operator_id, booking_id, payment_id, actor)
        return page(request, "console/received.html", view, is_private=True)

    @post("/payments/{payment_id:uuid}/received", opt={"permission": Permission.PAYMENTS_RECEIVE})
    async def note(
        self,
        request: AnyRequest,
        operator_id: UUID,
        booking_id: UUID,
        payment_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: Form,
    ) -> Template | Redirect:
        view = await _received(work, operator_id, booking_id, payment_id, actor, data)
        typed = Typed(data, view.currency)
        amount = typed.needed_amount("amount")
        if not typed.errors:
            try:
                await note_received(
                    work, payment_id, amount, typed.text("reference"), actor=actor, signer=services.secrets
                )
                return see_other(f"{view.booking_url}?done=received")
            except Invalid as invalid:
                typed.take(invalid.errors, {"reference": "reference", "amount": "amount"})
            except ReferenceUsed as refused:
                await work.rollback()
                typed.refuse("reference", refused.text())
        again = replace(view, errors=typed.errors)
        return page(request, "console/received.html", again, status=UNREADABLE, is_private=True)


async def _view(
    request: AnyRequest,
    work: UnitOfWork,
    operator_id: UUID,
    booking_id: UUID,
    actor: Actor,
    services: Services,
    refused: DomainError | None = None,
) -> BookingMoneyView:
    office = await office_of(work, operator_id, "till", actor=actor)
    money = await get_booking_money(work, operator_id, booking_id, actor=actor)
    booking, zone = money.booking, ZoneInfo(office.operator.timezone)
    state, tone = BOOKING_STATES[booking.status]
    may_note = actor.may(Permission.PAYMENTS_RECEIVE, operator_id)
    may_refund = actor.may(Permission.PAYMENTS_REFUND, operator_id)
    change = None
    if booking.status is BookingStatus.CONFIRMED:
        with suppress(ChangeNotFound):
            change = await get_pending_change(work, booking_id, actor=actor)
    takes_cash = CASH in services.providers and (bool(change) or (booking.is_open and bool(money.due)))
    came = await list_came(work, [each.id for each in money.payments])
    provider_of = {payment.id: payment.provider for payment in money.payments}
    return BookingMoneyView(
        office=office,
        booking_id=booking.id,
        reference=booking.reference,
        trip=trip_in_words(booking),
        state=_(state),
        tone=tone,
        total=booking.total,
        due=money.due,
        expires_at=booking.expires_at.astimezone(zone) if booking.expires_at else None,
        payments=tuple(
            _payment(each, amount_of(each, came), office, booking_id, zone, may_note=may_note, may_refund=may_refund)
            for each in reversed(money.payments)
        ),
        refunds=tuple(
            _refund(each, provider_of[each.payment_id], office, zone, may_refund=may_refund) for each in money.refunds
        ),
        papers=tuple(_papers(money, zone)),
        lines=tuple(_lines(money.lines, zone)) if actor.may(Permission.REPORTS_READ, operator_id) else None,
        takes_cash=takes_cash,
        change=_change(change, zone) if change else None,
        done=_done(request.query_params.get("done", "")),
        error=refused.text() if refused else "",
    )


async def _received(
    work: UnitOfWork,
    operator_id: UUID,
    booking_id: UUID,
    payment_id: UUID,
    actor: Actor,
    typed: Mapping[str, str] | None = None,
) -> ReceivedView:
    """Raises: PaymentNotFound: no such payment of this booking, or its provider tells what came, or not to be noted by
    this actor."""
    office = await office_of(work, operator_id, "till", actor=actor)
    money = await get_booking_money(work, operator_id, booking_id, actor=actor)
    payment = next((each for each in money.payments if each.id == payment_id and each.provider in BY_HAND), None)
    if payment is None or not actor.may(Permission.PAYMENTS_RECEIVE, operator_id):
        raise PaymentNotFound
    is_bank = payment.provider == BANK
    at = booking_url(office, booking_id)
    due = money.due or payment.amount
    return ReceivedView(
        office=office,
        booking_url=at,
        action=f"{at}/payments/{payment_id}/received",
        title=_("Note a transfer that has come") if is_bank else _("Note cash that was handed over"),
        reference_label=_("The bank's reference") if is_bank else _("The receipt's number"),
        reference_hint=_("As the account's statement has it. The same transfer counts once, however often it is noted.")
        if is_bank
        else _("By this it is told from other money for the same booking."),
        currency=due.currency,
        booking_reference=money.booking.reference,
        due=due,
        typed={"amount": plain_amount(due)} if typed is None else typed,
    )


def _change(change: Change, zone: ZoneInfo) -> ChangeDue:
    quote = change.quote
    told = _("The change is made at once: the old tickets stop working, and new ones are mailed.")
    if quote.redemption:
        told = _("The ride back is booked at once, and its ticket is mailed.")
    what = _("Another name")
    if quote.new_seats:
        card = card_of_description(quote.new_seats.description)
        when = f"{day_in_words(card.board.time)}, {format_time(card.board.time)}"
        seats = ", ".join(move.seat_number for move in quote.new_seats.moves)
        what = _("{way}, {when}, seats {seats}").format(
            way=way_in_words(quote.new_seats.description), when=when, seats=seats
        )
    return ChangeDue(change.id, change.owed, change.expires_at.astimezone(zone), what, told)


def _payment(
    payment: PaymentView,
    amount: Money,
    office: Office,
    booking_id: UUID,
    zone: ZoneInfo,
    *,
    may_note: bool,
    may_refund: bool,
) -> PaymentRow:
    state, tone = PAYMENTS[payment.status]
    at = (payment.completed_at or payment.created_at).astimezone(zone)
    at_payment = f"{booking_url(office, booking_id)}/payments/{payment.id}"
    was_replaced = payment.failure == "superseded"
    is_noted = may_note and payment.provider == BANK and not was_replaced
    return PaymentRow(
        at=at,
        label=came_by(payment.provider),
        amount=amount,
        state=_("Another way was chosen") if was_replaced else _(state),
        tone="" if was_replaced else tone,
        note_url=f"{at_payment}/received" if is_noted else "",
        back_url=f"{at_payment}/back" if may_refund and payment.status in GIVEABLE else "",
    )


def _refund(refund: RefundView, provider: str, office: Office, zone: ZoneInfo, *, may_refund: bool) -> BackRow:
    is_by_hand = (provider in BY_HAND and refund.destination == "origin") or refund.destination == "hand"
    states: dict[str, tuple[str, Tone]] = {
        "pending": (_("To be paid out") if is_by_hand else _("On its way"), "warn"),
        "completed": (_("Paid back"), "good"),
        "failed": (_("Refused by the provider"), "bad"),
        "replaced": (_("Made again another way"), ""),
    }
    state, tone = states[refund.status]
    at = f"{office.path}/till/refunds/{refund.id}"
    is_owed = may_refund and refund.status in {"pending", "failed"}
    words = [reason_of(refund.reason), _(INTO.get(refund.destination, ""))]
    return BackRow(
        at=(refund.completed_at or refund.created_at).astimezone(zone),
        label=", ".join(word for word in words if word),
        amount=refund.amount,
        state=state,
        tone=tone,
        pay_url=f"{at}/paid" if is_owed and (is_by_hand or refund.status == "failed") else "",
        again_url=f"{at}/again" if is_owed and refund.status == "failed" else "",
    )


def _papers(money: BookingMoney, zone: ZoneInfo) -> list[PaperRow]:
    labels = {"invoice": _("Invoice {number}"), "credit-note": _("Credit note {number}")}
    return [
        PaperRow(
            labels[invoice.kind].format(number=invoice.number),
            f"/bookings/{money.booking.id}/invoices/{invoice.id}",
            invoice.total,
            invoice.issued_at.astimezone(zone),
        )
        for invoice in money.invoices
    ]


def _lines(lines: Sequence[LedgerLine], zone: ZoneInfo) -> list[LedgerRow]:
    rows = []
    seen: set[UUID] = set()
    for line in lines:
        amount = Money(abs(line.amount.minor), line.amount.currency)
        rows.append(
            LedgerRow(
                at=line.at.astimezone(zone),
                what=_(MOVEMENTS.get(line.kind, line.kind)),
                account=account_of(line),
                debit=amount if line.amount.minor > 0 else None,
                credit=amount if line.amount.minor < 0 else None,
                is_first=line.transaction_id not in seen,
            )
        )
        seen.add(line.transaction_id)
    return rows


def _done(what: str) -> str:
    return {
        "cash": _("The cash was taken and noted."),
        "given": _("It is given back, and off the price."),
        "received": _("It is noted that the money has come."),
        "paid": _("It is noted that this was paid out."),
        "again": _("The refund is on its way again."),
    }.get(what, "")
