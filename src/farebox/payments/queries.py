"""Reading payments. Whoever reaches the booking or the wallet reaches its payments; others do not find them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from sqlalchemy import select

from farebox.accounts import Actor, Permission
from farebox.bookings import Booking, ChangeNotFound, get_booking, get_pending_change, is_reached
from farebox.core.db import UnitOfWork
from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.core.rows import Selection
from farebox.payments import wallet
from farebox.payments.adapters import cash
from farebox.payments.due import due_for
from farebox.payments.errors import NoWallet, PaymentNotFound, UnknownMethod
from farebox.payments.models import PaymentRow, RefundRow
from farebox.payments.providers import PaymentMethod, PaymentProvider, Providers
from farebox.payments.states import PaymentStatus
from farebox.payments.views import PaymentView, payment_view

WALLET_METHOD: Final = PaymentMethod(wallet.PROVIDER, N_("Wallet"))

PAYMENT: Final = Selection(PaymentRow, "WHERE payment.id = $1")


async def get_payment(work: UnitOfWork, payment_id: UUID, *, actor: Actor) -> PaymentView:
    """Raises: PaymentNotFound: no such payment, or not for this actor."""
    row = await find_row(work, payment_id)
    if row is None or not await _reaches(work, row, actor):
        raise PaymentNotFound
    if row.status not in {PaymentStatus.REFUNDED, PaymentStatus.PARTIALLY_REFUNDED}:
        return payment_view(row)
    refunds = await work.session.scalars(select(RefundRow.status).where(RefundRow.payment_id == row.id))
    return payment_view(row, set(refunds))


async def find_row(work: UnitOfWork, payment_id: UUID) -> PaymentRow | None:
    """The row as it stands, to be read."""
    [found] = await work.send([PAYMENT.about(payment_id)])
    return next(iter(PAYMENT.read(found)), None)


async def list_payments(work: UnitOfWork, booking_id: UUID, *, actor: Actor) -> list[PaymentView]:
    """A booking's payments, the latest first.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
    """
    await get_booking(work, booking_id, actor=actor, as_it_stands=True)
    rows = await work.session.scalars(
        select(PaymentRow)
        .where(PaymentRow.booking_id == booking_id)
        .order_by(PaymentRow.created_at.desc(), PaymentRow.id.desc())
        .execution_options(populate_existing=True)
    )
    return [payment_view(row) for row in rows]


@dataclass(frozen=True, slots=True)
class ToPay:
    """What is to be paid of a booking now, and how.

    Attributes:
        amount: nothing where nothing is.
        change_id: the change that it is for; `None`: the booking itself.
    """

    amount: Money
    methods: tuple[PaymentMethod, ...] = ()
    change_id: UUID | None = None


async def list_methods(
    work: UnitOfWork, booking_id: UUID, *, change_id: UUID | None = None, actor: Actor, providers: Providers
) -> ToPay:
    """The ways in which a booking can be paid now, or the change of it that waits for its money.

    Args:
        change_id: only for this change.

    Raises:
        BookingNotFound: no such booking, or not for this actor.
        ChangeNotFound: this change does not wait for money.
    """
    booking = await get_booking(work, booking_id, actor=actor)
    begins_in = timedelta()
    if booking.is_open and change_id is None:
        amount, begins_in = await due_for(work, booking), time_before(booking, work.now)
    else:
        try:
            change = await get_pending_change(work, booking_id, actor=actor)
        except ChangeNotFound:
            if change_id is None:
                return ToPay(Money.zero(booking.total.currency))
            raise
        if change_id not in {None, change.id}:
            raise ChangeNotFound
        amount, change_id = change.owed, change.id
    if not amount:
        return ToPay(amount)
    offered = methods_for(amount.currency, providers, begins_in=begins_in)
    if await _has_in_wallet(work, amount, actor, wholly=change_id is not None):
        offered.append(WALLET_METHOD)
    if cash.NAME in providers and acts_for_seller(actor, booking, Permission.BOOKINGS_SELL):
        offered.append(cash.METHOD)
    return ToPay(amount, tuple(offered), change_id)


async def _has_in_wallet(work: UnitOfWork, amount: Money, actor: Actor, *, wholly: bool) -> bool:
    """Whether a person has money for it in their wallet: of a booking's price also a part."""
    try:
        found = await wallet.find_wallet(work, amount.currency, actor=actor)
    except NoWallet:
        return False
    return found is not None and found.spendable >= (amount if wholly else Money(1, amount.currency))


def methods_for(currency: str, providers: Providers, *, begins_in: timedelta = timedelta()) -> list[PaymentMethod]:
    """What the providers offer for a currency, in their order.

    Args:
        begins_in: the time before what is booked. Money may take half of it: should none come, there is as much time
            again to sell the seats to others. Nothing for what cannot wait, such as a change.
    """
    return [method for _, method in _offers(currency, providers, begins_in)]


def find_offer(
    code: str, currency: str, providers: Providers, *, begins_in: timedelta = timedelta()
) -> tuple[PaymentProvider, PaymentMethod]:
    """Who takes money in this way; `begins_in` as for `methods_for`.

    Raises:
        UnknownMethod: nobody offers it for this currency, or it is too late for it.
    """
    for provider, method in _offers(currency, providers, begins_in):
        if method.code == code:
            return provider, method
    raise UnknownMethod


def provider_of(code: str, currency: str, providers: Providers) -> PaymentProvider:
    """Who takes money in this way at once. Raises: UnknownMethod: as `find_offer`."""
    return find_offer(code, currency, providers)[0]


async def _reaches(work: UnitOfWork, row: PaymentRow, actor: Actor) -> bool:
    if row.booking_id is None:
        assert row.wallet_id is not None  # the table's CHECK says so
        return await wallet.reaches_wallet(work, row.wallet_id, actor=actor)
    return await is_reached(work, row.booking_id, actor=actor)


def time_before(booking: Booking, now: datetime) -> timedelta:
    """How long it is until the first thing of a booking begins."""
    return min(item.starts_at for item in booking.items) - now


def acts_for_seller(actor: Actor, booking: Booking, permission: Permission) -> bool:
    """Whether somebody has a permission for an operator of a booking; that it is their own is not enough."""
    if actor.booking_id is not None:
        return False
    return any(actor.may(permission, item.operator_id) for item in booking.items)


def _offers(
    currency: str, providers: Providers, begins_in: timedelta
) -> Iterator[tuple[PaymentProvider, PaymentMethod]]:
    for provider in providers.values():
        for method in provider.methods(currency):
            if not method.takes_seconds or timedelta(seconds=2 * method.takes_seconds) <= begins_in:
                yield provider, method
