"""The till: transfers that are expected, refunds to be paid out by hand, and the cash of a day."""

from datetime import date, datetime
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission, list_colleagues
from farebox.bookings import BookingNotFound, ReferenceMistyped, get_sold_booking, list_bookings
from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.payments import (
    CashOfDay,
    ExpectedTransfer,
    HandRefund,
    OpenDispute,
    StuckPayment,
    list_expected_transfers,
    list_hand_refunds,
    list_open_disputes,
    list_stuck_payments,
    sum_up_cash,
)
from farebox.web.console.money_words import came_by, reason_of, trip_in_words
from farebox.web.console.office import Form, office_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import Office
from farebox.web.views.till import CashRow, LookRow, RefundRow, TillView, TransferRow, WaitingRow

NOT_FOUND: Final = 404
LONGEST: Final = 40
MOST_WAITING: Final = 10


class TillController(Controller):
    path = "/console/{operator_id:uuid}/till"
    opt = {"access": "staff", "permission": Permission.BOOKINGS_SELL}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def till(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "till", actor=actor)
        return page(request, "console/till.html", await _view(request, work, office, actor), is_private=True)

    @post("/find")
    async def find(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template | Redirect:
        """To the money of a booking, by its reference. Sent as a form, so that references are in no log."""
        office = await office_of(work, operator_id, "till", actor=actor)
        typed = data.get("reference", "").strip()[:LONGEST]
        try:
            booking = await get_sold_booking(work, operator_id, typed, actor=actor)
        except (ReferenceMistyped, BookingNotFound) as refused:
            view = await _view(request, work, office, actor, typed, refused)
            return page(request, "console/till.html", view, status=NOT_FOUND, is_private=True)
        return see_other(booking_url(office, booking.id))


def booking_url(office: Office, booking_id: UUID) -> str:
    """The page of a booking's money."""
    return f"{office.path}/till/bookings/{booking_id}"


async def _view(
    request: AnyRequest,
    work: UnitOfWork,
    office: Office,
    actor: Actor,
    typed: str = "",
    refused: DomainError | None = None,
) -> TillView:
    operator_id, zone = office.operator.id, ZoneInfo(office.operator.timezone)
    today = work.now.astimezone(zone).date()
    day = _day(request.query_params.get("day", ""), today)
    transfers = await list_expected_transfers(work, operator_id, actor=actor)
    refunds = None
    if actor.may(Permission.PAYMENTS_REFUND, operator_id):
        refunds = await list_hand_refunds(work, actor=actor, operator_id=operator_id)
    disputes = await list_open_disputes(work, operator_id, actor=actor)
    stuck = await list_stuck_payments(work, operator_id, actor=actor)
    cash = await sum_up_cash(work, operator_id, day, timezone=office.operator.timezone, actor=actor)
    names = await list_colleagues(work, operator_id, actor=actor, permission=Permission.BOOKINGS_SELL)
    rows = tuple(_cash_row(line, names, actor) for line in cash)
    return TillView(
        office=office,
        waiting=tuple(await _waiting(work, office, actor)),
        transfers=tuple(_transfer(each, office, zone) for each in transfers),
        disputes=tuple(_dispute(each, office, zone) for each in disputes),
        stuck=tuple(_stuck(each, office, zone) for each in stuck),
        refunds=None if refunds is None else tuple(_refund(each, office, zone) for each in refunds),
        cash=rows,
        totals=tuple(_totals(rows)),
        day=day,
        today=today,
        reference=typed,
        error=_not_found(refused) if refused else "",
        done=_done(request.query_params.get("done", "")),
    )


async def _waiting(work: UnitOfWork, office: Office, actor: Actor) -> list[WaitingRow]:
    """What the reader booked in the shop for somebody at the counter."""
    if actor.kind != "user":
        return []
    found, _total = await list_bookings(work, actor=actor, person_id=actor.id, status="pending", limit=MOST_WAITING)
    return [
        WaitingRow(booking_url(office, booking.id), booking.reference, trip_in_words(booking), booking.total)
        for booking in found
        if any(item.operator_id == office.operator.id for item in booking.items)
    ]


def _not_found(refused: DomainError) -> str:
    if isinstance(refused, ReferenceMistyped):
        return refused.text()
    return _("No booking with something of this operator has this reference.")


def _transfer(each: ExpectedTransfer, office: Office, zone: ZoneInfo) -> TransferRow:
    return TransferRow(
        booking_url=booking_url(office, each.booking_id),
        reference=each.reference,
        amount=each.amount,
        begun_at=_local(each.begun_at, zone),
        expires_at=_local(each.expires_at, zone) if each.expires_at else None,
    )


def _refund(each: HandRefund, office: Office, zone: ZoneInfo) -> RefundRow:
    assert each.booking_id is not None  # what goes out of wallets is no operator's
    return RefundRow(
        id=each.id,
        booking_url=booking_url(office, each.booking_id),
        reference=each.reference,
        amount=each.amount,
        came_by=came_by(each.provider),
        reason=reason_of(each.reason),
        is_refused=each.is_refused,
        promised_at=_local(each.promised_at, zone),
    )


def _dispute(each: OpenDispute, office: Office, zone: ZoneInfo) -> LookRow:
    since = _local(each.opened_at, zone)
    return LookRow(booking_url(office, each.booking_id), each.reference, each.amount, came_by(each.provider), since)


def _stuck(each: StuckPayment, office: Office, zone: ZoneInfo) -> LookRow:
    return LookRow(
        booking_url=booking_url(office, each.booking_id),
        reference=each.reference,
        amount=each.amount,
        came_by=came_by(each.provider),
        since=_local(each.begun_at, zone),
        why=_("A message about it could not be handled") if each.is_unread else _("Its provider has not told the end"),
    )


def _cash_row(line: CashOfDay, names: dict[UUID, str], actor: Actor) -> CashRow:
    who = next((name for person_id, name in names.items() if line.actor == f"user:{person_id}"), "")
    if line.actor == actor.owner:
        who = _("You")
    elif not who:
        who = _("A program") if line.actor.startswith("partner:") else _("Somebody else")
    return CashRow(who, line.receipts, line.taken, line.payouts, line.paid_out, line.taken - line.paid_out)


def _totals(rows: tuple[CashRow, ...]) -> list[Money]:
    """What should be in the till of a day, by currency."""
    totals: dict[str, Money] = {}
    for row in rows:
        totals[row.left.currency] = totals.get(row.left.currency, Money.zero(row.left.currency)) + row.left
    return list(totals.values())


def _day(text: str, today: date) -> date:
    try:
        return min(date.fromisoformat(text), today)
    except ValueError:
        return today


def _local(instant: datetime, zone: ZoneInfo) -> datetime:
    return instant.astimezone(zone)


def _done(what: str) -> str:
    return {
        "paid": _("It is noted that this was paid out."),
        "again": _("The refund is on its way again."),
    }.get(what, "")
