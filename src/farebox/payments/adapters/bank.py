"""Bank transfers to the operator of the shop: in euro to an IBAN, in đồng to a Vietnamese account.

The page that says where the money goes is ours, with a code that banks' apps read: the European Payments Council's
(EPC069-12) or Vietnam's (VietQR, NAPAS, in EMV's form for merchant-presented codes).
"""

import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import segno
from segno.helpers import make_epc_qr

from farebox.core.i18n import N_
from farebox.core.money import Money
from farebox.payments.adapters.by_hand import ByHand
from farebox.payments.providers import PaymentMethod, PaymentOrder, Started

NAME: Final = "bank"
CODE: Final = "bank-transfer"
PAGE: Final = "/pay/bank/{payment_id}"
"""Where the page is, under the base URL."""

NAPAS: Final = "A000000727"
TO_ACCOUNT: Final = "QRIBFTTA"
"""NAPAS's word for a transfer to an account."""

DONG: Final = "704"
"""ISO 4217's number of the Vietnamese đồng."""

CRC_START: Final = 0xFFFF
QUIET_ZONE: Final = 4
"""Modules of white around a code (ISO/IEC 18004)."""


@dataclass(frozen=True, slots=True)
class BankAccount:
    """Where transfers go.

    Attributes:
        holder: whose account it is.
        iban, bic: for euro; the BIC where the payer's bank needs it.
        bank_bin: the six digits by which NAPAS knows the bank.
        number: the account's, for đồng.
    """

    holder: str
    iban: str = ""
    bic: str = ""
    bank_bin: str = ""
    number: str = ""

    @property
    def currencies(self) -> frozenset[str]:
        takes_euro = {"EUR"} if self.iban and self.holder else set()
        takes_dong = {"VND"} if self.bank_bin and self.number else set()
        return frozenset(takes_euro | takes_dong)


@dataclass(frozen=True, slots=True)
class TransferSlip:
    """What somebody needs who makes a transfer.

    Attributes:
        account: the IBAN, as it is printed, or the account's number.
        bank: the BIC, or the bank's six digits; may be empty for an IBAN.
        reference: what they are to write on it; by this the money is recognised.
        qr: all of it for a bank's app.
    """

    holder: str
    account: str
    bank: str
    amount: Money
    reference: str
    qr: segno.QRCode

    @property
    def qr_svg(self) -> str:
        """The code as a picture without a size of its own: the page gives it one."""
        return str(self.qr.svg_inline(border=QUIET_ZONE, omitsize=True, light="#fff", svgclass="qr", lineclass=None))


class BankTransfer(ByHand):
    """The adapter.

    Args:
        hours: for how long seats wait for the money.
    """

    name = NAME

    def __init__(self, account: BankAccount, base_url: str, *, hours: int) -> None:
        self.account = account
        self._base_url = base_url.rstrip("/")
        self._seconds = hours * 3600

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        if currency not in self.account.currencies:
            return []
        return [PaymentMethod(CODE, N_("Bank transfer"), takes_seconds=self._seconds)]

    async def start(self, order: PaymentOrder) -> Started:
        page = PAGE.format(payment_id=order.payment_id)
        return Started(f"bank-{order.payment_id}", checkout_url=self._base_url + page)


def make_slip(account: BankAccount, amount: Money, reference: str) -> TransferSlip:
    """What to print for a transfer of `amount`, in a currency of the account's."""
    if amount.currency == "EUR":
        iban = account.iban.replace(" ", "").upper()
        qr = make_epc_qr(account.holder, iban, amount.amount, text=reference, bic=account.bic or None)
        shown = " ".join(iban[at : at + 4] for at in range(0, len(iban), 4))
        return TransferSlip(account.holder, shown, account.bic, amount, reference, qr)
    qr = segno.make_qr(vietqr(account.bank_bin, account.number, amount.minor, reference), error="m")
    return TransferSlip(account.holder, account.number, account.bank_bin, amount, reference, qr)


def vietqr(bank_bin: str, account: str, amount: int, purpose: str) -> str:
    """The text of a VietQR code for one transfer.

    Args:
        amount: đồng.
        purpose: what is written on the transfer; ASCII, at most 25 characters.
    """
    payee = _field("00", bank_bin) + _field("01", account)
    fields = [
        _field("00", "01"),
        _field("01", "12"),  # for one payment, not to be used again
        _field("38", _field("00", NAPAS) + _field("01", payee) + _field("02", TO_ACCOUNT)),
        _field("53", DONG),
        _field("54", str(amount)),
        _field("58", "VN"),
        _field("62", _field("08", purpose)),
        "6304",
    ]
    text = "".join(fields)
    return f"{text}{binascii.crc_hqx(text.encode(), CRC_START):04X}"


def _field(tag: str, value: str) -> str:
    return f"{tag}{len(value):02}{value}"
