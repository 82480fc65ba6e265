"""Bank transfers: what banks' apps read off the page."""

import io

import pytest
import zxingcpp
from PIL import Image

from farebox.core.ids import new_id
from farebox.core.money import Money
from farebox.payments import BadSignature, OrderRefused, PaymentOrder, RefundOrder, RunningPayment
from farebox.payments.adapters.bank import BankAccount, BankTransfer, make_slip, vietqr
from farebox.payments.adapters.cash import Cash

ACCOUNT = BankAccount(
    holder="Farebox GmbH", iban="DE89370400440532013000", bic="COBADEFFXXX", bank_bin="970422", number="113366668888"
)
ORDER = PaymentOrder(new_id(), "BUS20261120K7QM2X", Money(1, "EUR"), "bank-transfer", "https://x.example", 60, "en")


def read(slip):
    picture = io.BytesIO()
    slip.qr.save(picture, kind="png", scale=4, border=4)
    [code] = zxingcpp.read_barcodes(Image.open(picture))
    return code.text


def test_a_code_is_the_one_that_payos_prints_for_the_same_transfer():
    """A code that PayOS gave out for 200,000 đồng."""
    printed = (
        "00020101021238570010A000000727012700069704220113VQRQ0001uig8k0208QRIBFTTA"
        "530370454062000005802VN62070803abc6304D84C"
    )
    assert vietqr("970422", "VQRQ0001uig8k", 200_000, "abc") == printed


def test_dong_go_to_the_account_by_vietqr():
    slip = make_slip(ACCOUNT, Money(250_000, "VND"), "BUS20261120K7QM2X")
    assert read(slip) == vietqr("970422", "113366668888", 250_000, "BUS20261120K7QM2X")
    assert (slip.account, slip.bank, slip.reference) == ("113366668888", "970422", "BUS20261120K7QM2X")


def test_euro_go_to_the_iban_by_the_payments_councils_code():
    slip = make_slip(ACCOUNT, Money(2575, "EUR"), "BUS20261120K7QM2X")
    lines = read(slip).splitlines()
    assert lines[:1] + lines[3:8] == [
        "BCD",
        "SCT",
        "COBADEFFXXX",
        "Farebox GmbH",
        "DE89370400440532013000",
        "EUR25.75",
    ]
    assert "BUS20261120K7QM2X" in lines
    assert slip.account == "DE89 3704 0044 0532 0130 00"
    assert slip.qr_svg.startswith("<svg")


@pytest.mark.parametrize(
    ("account", "currencies"),
    [
        (ACCOUNT, {"EUR", "VND"}),
        (BankAccount(holder=""), set()),
        (BankAccount(holder="", iban="DE89370400440532013000"), set()),
        (BankAccount(holder="A", bank_bin="970422"), set()),
        (BankAccount(holder="", bank_bin="970422", number="1"), {"VND"}),
    ],
)
def test_a_transfer_is_offered_where_an_account_takes_the_currency(account, currencies):
    bank = BankTransfer(account, "https://tickets.example", hours=24)
    assert {currency for currency in ("EUR", "VND", "USD") if bank.methods(currency)} == currencies


async def test_nobody_can_tell_of_cash_or_transfers_but_the_staff():
    bank, cash = BankTransfer(ACCOUNT, "https://tickets.example/", hours=24), Cash()
    assert (await bank.start(ORDER)).checkout_url == f"https://tickets.example/pay/bank/{ORDER.payment_id}"
    with pytest.raises(OrderRefused):
        await cash.start(ORDER)
    assert cash.methods("EUR") == []
    refund = RefundOrder(new_id(), "", "", ORDER.amount, "late")
    for provider in (bank, cash):
        with pytest.raises(BadSignature):
            await provider.parse_webhook({}, b"{}")
        running = RunningPayment(ORDER.payment_id, "", ORDER.amount, "")
        assert await provider.fetch(running) == []
        await provider.close(running)
        answer = await provider.refund(refund)
        assert (answer.external_id, answer.is_final) == (f"by-hand-{refund.refund_id}", False)
        await provider.dispose()
