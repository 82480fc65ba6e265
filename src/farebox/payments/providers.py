"""What Farebox asks of a payment provider. Adapters are registered by name in the application's wiring."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias
from uuid import UUID

import msgspec

from farebox.core.money import Money


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """A way of paying, as travellers choose it.

    Attributes:
        code: what `start_payment` takes.
        label: source text for gettext.
    """

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class PaymentOrder:
    """What a provider is asked to collect.

    Attributes:
        payment_id: our id; also the idempotency key, so that asking twice opens one checkout.
        reference: the booking's, for the statement.
        return_url: where the traveller goes afterwards.
        expires_in_seconds: after that the seats are no longer kept.
    """

    payment_id: UUID
    reference: str
    amount: Money
    method: str
    return_url: str
    expires_in_seconds: int
    language: str


@dataclass(frozen=True, slots=True)
class Started:
    """The provider's answer: a page to go to, or a secret for its own form.

    Attributes:
        external_id: the provider's id of the attempt.
    """

    external_id: str
    checkout_url: str | None = None
    client_secret: str | None = None


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What a provider is asked to give back. `refund_id` is also the idempotency key."""

    refund_id: UUID
    payment_external_id: str
    charge_external_id: str
    amount: Money
    reason: str


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's message in our words.

    Attributes:
        external_id: the provider's id of the message, the same when it is sent again.
        kind: `paid`: money was taken; `failed`: the attempt came to nothing; `other`: nothing that concerns us.
        payment_id: our id, if the message names it; else `payment_external_id` finds the payment.
        charge_id: the provider's id of the money taken, the same in all messages about it.
        amount_minor, currency: what was taken.
        failure: the provider's word for why not.
    """

    external_id: str
    kind: Literal["paid", "failed", "other"]
    payment_id: UUID | None = None
    payment_external_id: str | None = None
    charge_id: str = ""
    amount_minor: int = 0
    currency: str = ""
    failure: str = ""


class PaymentProvider(Protocol):
    """An adapter. Its methods may use the network, so they are never called inside a transaction."""

    @property
    def name(self) -> str: ...

    def methods(self, currency: str) -> Sequence[PaymentMethod]:
        """The ways of paying that it offers for a currency."""
        ...

    async def start(self, order: PaymentOrder) -> Started:
        """Open a checkout.

        Raises:
            ProviderUnavailable: it did not take the order.
        """
        ...

    async def refund(self, order: RefundOrder) -> str:
        """Give money back; returns the provider's id of the refund. Asking twice with one `refund_id` refunds once.

        Raises:
            ProviderUnavailable: not now; the caller tries again later.
        """
        ...

    async def verify_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Prove who sent a message, then read it. `headers` have lower-case names.

        Raises:
            BadSignature: not signed with our key, or too long ago.
            UnreadableWebhook: signed, but not understood.
        """
        ...


Providers: TypeAlias = Mapping[str, PaymentProvider]
"""The providers of the process, by name."""
