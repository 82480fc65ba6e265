"""Cash at the counter of a box office: taken by the staff, so travellers are not offered it."""

from collections.abc import Sequence
from typing import Final

from farebox.core.i18n import N_
from farebox.payments.adapters.by_hand import ByHand
from farebox.payments.errors import OrderRefused
from farebox.payments.providers import PaymentMethod, PaymentOrder, Started

NAME: Final = "cash"
METHOD: Final = PaymentMethod(NAME, N_("Cash"))
"""For the staff; see `payments.till`."""


class Cash(ByHand):
    name = NAME

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        return []

    async def start(self, order: PaymentOrder) -> Started:
        raise OrderRefused
