"""Money that people hand over and note down, without a company between: nobody is asked, and nobody sends messages."""

from collections.abc import Mapping, Sequence

from farebox.payments.errors import BadSignature
from farebox.payments.providers import ProviderEvent, RefundAnswer, RefundOrder, RunningPayment


class ByHand:
    """What cash and bank transfers have in common.

    Staff note what came and what was paid out (`payments.till`), and that settles it as a provider's message would.
    """

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        return []  # the staff know, and tell by themselves

    async def close(self, payment: RunningPayment) -> None:
        """Nothing: a transfer can be made at any time. One that comes too late is given back."""

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        """Puts it on the list of what the staff are to pay out; it ends when they have."""
        return RefundAnswer(f"by-hand-{order.refund_id}", is_final=False)

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        raise BadSignature

    async def dispose(self) -> None:
        return None
