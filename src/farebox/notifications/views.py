"""What a message is, for those who write, send and show it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec


class MessageKind(StrEnum):
    """Those of bookings, those about money and open returns (words in `payment_letters`), and those to people with an
    account (words in `letters`)."""

    BOOKING_CONFIRMED = "booking-confirmed"
    BOOKING_EXPIRED = "booking-expired"
    BOOKING_CANCELLED = "booking-cancelled"
    BOOKING_REDUCED = "booking-reduced"
    BOOKING_CHANGED = "booking-changed"
    BOOKING_RENAMED = "booking-renamed"
    RETURN_CHOSEN = "return-chosen"
    CHANGE_FAILED = "change-failed"
    OPEN_RETURNS_CANCELLED = "open-returns-cancelled"
    OPEN_RETURNS_UNPAID = "open-returns-unpaid"
    OPEN_RETURNS_ENDING = "open-returns-ending"
    OPEN_RETURNS_ENDED = "open-returns-ended"
    LOOKUP_CODE = "lookup-code"
    REFUND = "refund"
    TICKETS = "tickets"

    PART_PAID = "part-paid"
    RECEIPT = "receipt"
    CREDIT_NOTE = "credit-note"
    TOP_UP_RECEIPT = "top-up-receipt"
    REFUND_FAILED = "refund-failed"
    DISPUTE_OPENED = "dispute-opened"
    PART_DISPUTED = "part-disputed"
    DISPUTE_WON = "dispute-won"
    DISPUTE_LOST = "dispute-lost"
    WALLET_DISPUTE_OPENED = "wallet-dispute-opened"
    WALLET_DISPUTE_WON = "wallet-dispute-won"
    WALLET_DISPUTE_LOST = "wallet-dispute-lost"
    WALLET_DISPUTE_UNTAKEN = "wallet-dispute-untaken"
    OPERATOR_REFUND_FAILED = "operator-refund-failed"
    OPERATOR_DISPUTE_OPENED = "operator-dispute-opened"
    OPERATOR_DISPUTE_WON = "operator-dispute-won"
    OPERATOR_DISPUTE_LOST = "operator-dispute-lost"

    VERIFY_EMAIL = "verify-email"
    ALREADY_REGISTERED = "already-registered"
    RESET_PASSWORD = "reset-password"  # noqa: S105  (no password)
    PASSWORD_CHANGED = "password-changed"  # noqa: S105  (no password)
    CHANGE_EMAIL = "change-email"
    CONFIRM_NEW_EMAIL = "confirm-new-email"
    EMAIL_CHANGED = "email-changed"
    NEW_SIGN_IN = "new-sign-in"
    STAFF_INVITED = "staff-invited"
    ACCOUNT_ERASED = "account-erased"
    FACTOR_ADDED = "factor-added"
    FACTOR_REMOVED = "factor-removed"
    RECOVERY_CODES_RENEWED = "recovery-codes-renewed"
    IDENTITY_LINKED = "identity-linked"
    IDENTITY_UNLINKED = "identity-unlinked"
    REFRESH_TOKEN_REUSED = "refresh-token-reused"  # noqa: S105  (no password)


class MessageStatus(StrEnum):
    """`kept`: written where no mail server is configured; the demo shows it in its mailbox."""

    QUEUED = "queued"
    SENT = "sent"
    KEPT = "kept"
    FAILED = "failed"


class TicketsFile(msgspec.Struct, frozen=True, kw_only=True, tag="tickets"):
    """The PDF with the tickets of these passengers."""

    filename: str
    passenger_ids: tuple[UUID, ...]


class CalendarFile(msgspec.Struct, frozen=True, kw_only=True, tag="calendar"):
    """The calendar entry of the booking."""

    filename: str


class InvoiceFile(msgspec.Struct, frozen=True, kw_only=True, tag="invoice"):
    """The PDF of an invoice or a credit note."""

    filename: str
    invoice_id: UUID


class CodePicture(msgspec.Struct, frozen=True, kw_only=True, tag="qr"):
    """The picture of a ticket's QR code, shown within the HTML where it says `cid:<content_id>`."""

    content_id: str
    token: str


Attachment = TicketsFile | CalendarFile | InvoiceFile | CodePicture


@dataclass(frozen=True, slots=True, repr=False)
class Draft:
    """A message before it is entered. No `repr`: it names people."""

    kind: MessageKind
    occasion: str
    recipient: str
    subject: str
    html: str
    text: str
    reply_to: str = ""
    attachments: tuple[Attachment, ...] = ()


@dataclass(frozen=True, slots=True, repr=False)
class Message:
    """A message as it stands. With neither booking nor person, it goes to somebody who may have no account.

    Attributes:
        html: as it is sent; `html_to_show` has the pictures within, for a page that shows the mail.
        filenames: of the files attached, in their order (see `get_attachment`).
        failure: why it could not be sent, or not yet: a code of the mail server, never an address.
    """

    id: UUID
    booking_id: UUID | None
    kind: MessageKind
    status: MessageStatus
    language: str
    recipient: str
    reply_to: str
    subject: str
    html: str
    text: str
    attachments: tuple[Attachment, ...]
    attempts: int
    failure: str
    created_at: datetime
    sent_at: datetime | None

    @property
    def filenames(self) -> tuple[str, ...]:
        return tuple(file.filename for file in self.attachments if not isinstance(file, CodePicture))


@dataclass(frozen=True, slots=True, repr=False)
class SentMessage:
    """A message as whom it was for may read it again."""

    kind: MessageKind
    booking_id: UUID | None
    recipient: str
    subject: str
    text: str
    status: MessageStatus
    created_at: datetime
    sent_at: datetime | None


@dataclass(frozen=True, slots=True)
class File:
    """An attachment's content. `name` is its filename, or the content id of a picture within the HTML."""

    name: str
    media_type: str
    content: bytes
