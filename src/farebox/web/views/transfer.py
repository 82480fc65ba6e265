"""A bank transfer, as its page shows it."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from farebox.payments import TransferSlip


@dataclass(frozen=True, slots=True)
class TransferView:
    """`slip` is `None` when nothing is to be transferred any more; `expires_at` is in the zone of the journey."""

    reference: str
    slip: TransferSlip | None
    qr: Markup
    expires_at: datetime | None
    booking_url: str
