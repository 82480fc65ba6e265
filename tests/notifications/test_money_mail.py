"""What travellers and operators are told of money that did not simply come, or go back."""

from typing import Any
from uuid import uuid4

import pytest
from tests.notifications.test_mail import inbox, shop, shop_without_mail
from tests.ticketing.travel import book

from farebox.bookings import expire_booking
from farebox.core.events import Event
from farebox.notifications import MessageKind
from farebox.payments import PaymentDisputed, PaymentPartiallyPaid, PaymentRefundFailed, RefundRequested

__all__ = ["inbox", "shop", "shop_without_mail"]

AMOUNT: dict[str, Any] = {"amount": "330000", "currency": "VND"}
OFFICE = "office@example.com"


async def tell(shop, make):
    """The messages that an event about a booking brings, however often it is told: (kind, address, text)."""
    booking = await shop.sell()
    async with shop.database.begin() as work:
        await work.execute(
            "UPDATE booking_item SET description = jsonb_set(description, '{operator_email}', to_jsonb(%s::text))",
            (OFFICE,),
        )
    await shop.run_jobs()
    known = {message.id for message in await shop.messages()}
    event: Event = make(booking)
    for _ in range(2):
        async with shop.database.begin() as work:
            work.publish(event)
    await shop.run_jobs()
    found = [message for message in await shop.messages() if message.id not in known]
    return booking, {(message.kind, message.recipient): message for message in found}


async def test_a_part_tells_what_is_missing(shop_without_mail):
    booking, told = await tell(
        shop_without_mail,
        lambda booking: PaymentPartiallyPaid(payment_id=uuid4(), booking_id=booking.id, missing="70000", **AMOUNT),
    )
    [((kind, _), message)] = told.items()
    assert kind is MessageKind.PART_PAID
    assert booking.reference in message.subject
    for said in (message.text, message.html):
        assert "₫330,000" in said
        assert "₫70,000" in said


@pytest.mark.parametrize(
    ("make", "to_traveller", "to_operator"),
    [
        (
            lambda booking: PaymentRefundFailed(refund_id=uuid4(), payment_id=uuid4(), booking_id=booking.id, **AMOUNT),
            MessageKind.REFUND_FAILED,
            MessageKind.OPERATOR_REFUND_FAILED,
        ),
        *(
            (
                lambda booking, step=step: PaymentDisputed(
                    payment_id=uuid4(),
                    booking_id=booking.id,
                    charge_id=uuid4(),
                    dispute_id=uuid4(),
                    step=step,
                    counts=True,
                    **AMOUNT,
                ),
                traveller,
                operator,
            )
            for step, traveller, operator in (
                ("open", MessageKind.DISPUTE_OPENED, MessageKind.OPERATOR_DISPUTE_OPENED),
                ("won", MessageKind.DISPUTE_WON, MessageKind.OPERATOR_DISPUTE_WON),
                ("lost", MessageKind.DISPUTE_LOST, MessageKind.OPERATOR_DISPUTE_LOST),
            )
        ),
    ],
    ids=["refund-failed", "dispute-open", "dispute-won", "dispute-lost"],
)
async def test_the_traveller_and_the_operator_are_told_once_each(shop_without_mail, make, to_traveller, to_operator):
    booking, told = await tell(shop_without_mail, make)
    assert {kind for kind, _ in told} == {to_traveller, to_operator}
    assert {address for kind, address in told if kind is to_operator} == {OFFICE}
    assert OFFICE not in {address for kind, address in told if kind is to_traveller}
    for message in told.values():
        assert booking.reference in message.subject
        assert "₫330,000" in message.text


@pytest.mark.parametrize(
    "more", [{"reason": "cancelled"}, {"reason": "chargeback"}, {"reason": "late", "is_again": True}]
)
async def test_what_another_message_tells_is_not_told_twice(shop_without_mail, more):
    _, told = await tell(
        shop_without_mail,
        lambda booking: RefundRequested(
            refund_id=uuid4(), payment_id=uuid4(), booking_id=booking.id, **(AMOUNT | more)
        ),
    )
    assert told == {}


async def test_money_for_a_wallet_says_so(shop_without_mail):
    _, told = await tell(
        shop_without_mail,
        lambda booking: RefundRequested(
            refund_id=uuid4(), payment_id=uuid4(), booking_id=booking.id, reason="allowance", to="wallet", **AMOUNT
        ),
    )
    [message] = told.values()
    assert "It goes into your wallet with us" in message.text


@pytest.mark.parametrize(
    ("step", "is_open", "kinds"),
    [
        ("open", True, {MessageKind.PART_DISPUTED, MessageKind.OPERATOR_DISPUTE_OPENED}),
        ("open", False, {MessageKind.OPERATOR_DISPUTE_OPENED}),
        ("lost", True, {MessageKind.OPERATOR_DISPUTE_LOST}),
    ],
)
async def test_of_disputed_money_that_does_not_count_it_is_told_that_it_is_to_be_paid_again(
    shop_without_mail, step, is_open, kinds
):
    shop = shop_without_mail
    async with shop.database.begin() as work:
        booking = await book(work, settings=shop.settings, secrets=shop.secrets)
        await work.execute(
            "UPDATE booking_item SET description = jsonb_set(description, '{operator_email}', to_jsonb(%s::text))",
            (OFFICE,),
        )
    if not is_open:
        async with shop.database.begin() as work:
            await expire_booking(work, booking.id)
    await shop.run_jobs()
    known = {message.id for message in await shop.messages()}
    disputed = PaymentDisputed(
        payment_id=uuid4(),
        booking_id=booking.id,
        charge_id=uuid4(),
        dispute_id=uuid4(),
        step=step,
        counts=False,
        **AMOUNT,
    )
    for _ in range(2):
        async with shop.database.begin() as work:
            work.publish(disputed)
    await shop.run_jobs()
    told = [message for message in await shop.messages() if message.id not in known]
    assert {message.kind for message in told} == kinds
    assert len(told) == len(kinds)
    for message in told:
        if message.kind is MessageKind.PART_DISPUTED:
            assert "pay that amount another way" in message.text
            assert "stays valid" not in message.text
