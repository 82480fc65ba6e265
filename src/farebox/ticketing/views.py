"""What others see of a ticket."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID


class TicketStatus(StrEnum):
    ISSUED = "issued"
    USED = "used"
    VOID = "void"


@dataclass(frozen=True, slots=True)
class Ticket:
    """One person's right to one seat. `token` is what the QR code says."""

    id: UUID
    booking_id: UUID
    booking_item_id: UUID
    passenger_id: UUID
    seat: str
    token: str
    status: TicketStatus
    issued_at: datetime
