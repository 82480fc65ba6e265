"""The sandbox: what it signs is believed, what it did not sign is not, and in production there is none."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest
import time_machine
from tests.bookings.shows import scalar
from tests.payments.till import Bank, paid

from farebox.bookings import BookingStatus
from farebox.core.ids import new_id
from farebox.core.settings import load_settings
from farebox.payments import (
    BadSignature,
    PaymentNotFound,
    PaymentStatus,
    UnknownProvider,
    UnreadableWebhook,
    build_providers,
    play_sandbox,
    receive_webhook,
)
from farebox.payments.sandbox import SIGNATURE_HEADER


async def receive(till, headers, body, provider="sandbox"):
    await receive_webhook(till.database, provider, headers, body, providers=till.providers, signer=till.box.secrets)


async def test_only_what_the_sandbox_signed_is_taken_in(till, database):
    _, _, _, payment = await till.paying()
    body = msgspec.json.encode(paid(payment))
    good = till.bank.sign(body)[SIGNATURE_HEADER]
    at, signature = good.split(",")
    forger = Bank(b"another key of thirty-two bytes!!", "", database=database).sign(body)
    for headers, sent in (
        ({}, body),
        ({SIGNATURE_HEADER: ""}, body),
        ({SIGNATURE_HEADER: at}, body),
        ({SIGNATURE_HEADER: signature}, body),
        ({SIGNATURE_HEADER: f"t=x,{signature}"}, body),
        ({SIGNATURE_HEADER: f"t=²,{signature}"}, body),
        ({SIGNATURE_HEADER: f"t={'9' * 400},{signature}"}, body),
        ({SIGNATURE_HEADER: f"t={'9' * 5000},{signature}"}, body),
        ({SIGNATURE_HEADER: f"{at},v1=é"}, body),
        ({SIGNATURE_HEADER: f"t={int(at[2:]) + 1},{signature}"}, body),
        ({SIGNATURE_HEADER: good}, body.replace(b"1350", b"0001")),
        ({SIGNATURE_HEADER: good}, b""),
        (forger, body),
    ):
        with pytest.raises(BadSignature):
            await receive(till, headers, sent)
    assert await scalar(database, "SELECT count(*) FROM payment_event") == 0
    await receive(till, {SIGNATURE_HEADER: good}, body)  # control
    assert await till.inbox() == ["applied"]


@pytest.mark.parametrize(("seconds", "is_taken"), [(299, True), (301, False), (-299, True), (-301, False)])
async def test_a_message_is_believed_for_five_minutes(till, seconds, is_taken):
    _, _, _, payment = await till.paying()
    body = msgspec.json.encode(paid(payment))
    now = datetime.now(UTC).replace(microsecond=0)  # a signature tells whole seconds
    with time_machine.travel(now, tick=False):
        headers = till.bank.sign(body)
    with time_machine.travel(now + timedelta(seconds=seconds)):
        if is_taken:
            await receive(till, headers, body)
        else:
            with pytest.raises(BadSignature):
                await receive(till, headers, body)


@pytest.mark.parametrize("body", [b"", b"{}", b"nonsense", b'{"id": "1", "type": "charge.exploded"}'])
async def test_a_signed_message_that_makes_no_sense_is_refused(till, body):
    with pytest.raises(UnreadableWebhook):
        await receive(till, till.bank.sign(body), body)


async def test_a_provider_that_is_not_here_is_unknown(till):
    with pytest.raises(UnknownProvider):
        await receive(till, {}, b"{}", provider="stripe")


def test_there_is_no_sandbox_in_production(secrets, tmp_path, database):
    for env, names in (("demo", {"cash", "sandbox"}), ("development", {"cash", "sandbox"}), ("production", {"cash"})):
        settings = load_settings({}, env=env, home=tmp_path)
        assert build_providers(settings, secrets, database=database).keys() == names


async def test_without_a_sandbox_its_door_is_shut(till):
    booking, _, _, payment = await till.paying()
    with pytest.raises(UnknownProvider):
        await play_sandbox(till.database, payment.id, "succeeded", providers={}, signer=till.box.secrets)
    assert (await till.booking(booking)).status is BookingStatus.PAYMENT_PROCESSING


async def test_pay(till):
    booking, _, _, payment = await till.paying()
    assert (await till.play(payment, "succeeded")).status is PaymentStatus.COMPLETED
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED
    await till.play(payment, "succeeded")  # the button pressed again
    assert await till.charges() == [("applied", 1350, 0)]


async def test_decline(till):
    booking, _, _, payment = await till.paying()
    played = await till.play(payment, "failed")
    assert (played.status, played.failure) == (PaymentStatus.FAILED, "declined")
    assert (await till.booking(booking)).status is BookingStatus.PENDING


async def test_pay_late(till, box):
    booking, _, _, payment = await till.paying()
    await till.play(payment, "late")
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED
    assert await till.steps(booking) == ["created", "payment-started", "expired", "paid"]
    assert till.told() == ["booking.cancelled", "booking.confirmed", "payment.completed"]


async def test_pay_late_for_a_seat_that_is_gone(till, box, database):
    booking, _, show, payment = await till.paying()
    async with database.begin() as work:
        await work.execute("UPDATE booking SET expires_at = now() - interval '1 s'")
    await till.booking(booking)
    await box.hold(await box.guest(), show)
    await till.play(payment, "late")
    await till.make_refunds()
    assert (await till.booking(booking)).status is BookingStatus.REFUNDED


async def test_pay_twice(till):
    booking, _, _, payment = await till.paying()
    await till.play(payment, "twice")
    assert await till.charges() == [("applied", 1350, 0), ("duplicate", 1350, 1350)]
    assert (await till.booking(booking)).status is BookingStatus.CONFIRMED


async def test_a_payment_that_is_not_there(till):
    with pytest.raises(PaymentNotFound):
        await till.play(type("Missing", (), {"id": new_id()}), "succeeded")
