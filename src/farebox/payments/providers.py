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
        takes_seconds: how long until we know of the money, where that is longer than the payment window; seats are
            kept for so long, and it is offered only early enough (see `methods_for`).
    """

    code: str
    label: str
    takes_seconds: int = 0


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
class RunningPayment:
    """A payment whose outcome a provider is asked for.

    Attributes:
        external_id: the provider's own id of it, from `Started`.
        is_wanted: whether money is still to be asked for; if not, only what has come is told.
    """

    payment_id: UUID
    external_id: str
    amount: Money
    method: str
    is_wanted: bool = True


@dataclass(frozen=True, slots=True)
class RefundOrder:
    """What a provider is asked to give back. `refund_id` is also the idempotency key."""

    refund_id: UUID
    payment_external_id: str
    charge_external_id: str
    amount: Money
    reason: str


@dataclass(frozen=True, slots=True)
class RefundAnswer:
    """What a provider said to a refund: made, or on its way (`is_final` false), so that a message tells the end.

    Attributes:
        external_id: the provider's id of the refund.
    """

    external_id: str
    is_final: bool = True


EventKind: TypeAlias = Literal[
    "paid", "failed", "approved", "refunded", "refund-failed", "disputed", "dispute-won", "dispute-lost", "other"
]


class ProviderEvent(msgspec.Struct, frozen=True, kw_only=True):
    """A provider's message in our words.

    Attributes:
        external_id: the provider's id of the message, the same when it is sent again.
        kind: `paid`: money was taken; `failed`: the attempt came to nothing; `approved`: the payer agreed, and the
            provider is to be asked for the money (`fetch` does); `refunded`, `refund-failed`: what became of a refund;
            `disputed`, `dispute-won`, `dispute-lost`: the payer's bank wants a charge back, and how that ended for us;
            `other`: nothing that concerns us.
        payment_id: our id, if the message names it; else `payment_external_id` or `charge_id` finds the payment.
        charge_id: the provider's id of the money taken, the same in all messages about it.
        refund_id, refund_external_id: of a refund, our id and the provider's, as far as the message names them.
        dispute_id: the provider's id of a dispute; empty where the message names none.
        amount_minor, currency: what was taken, given back or is disputed.
        failure: the provider's word for why not.
    """

    external_id: str
    kind: EventKind
    payment_id: UUID | None = None
    payment_external_id: str | None = None
    charge_id: str = ""
    refund_id: UUID | None = None
    refund_external_id: str = ""
    dispute_id: str = ""
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

    async def fetch(self, payment: RunningPayment) -> Sequence[ProviderEvent]:
        """Ask what became of a payment: the messages that would have told it, so far. Asking again gives them again.

        Also asks for the money where the payer has agreed, the provider waits for us to do so, and it is still wanted.

        Raises:
            ProviderUnavailable: not now.
        """
        ...

    async def close(self, payment: RunningPayment) -> None:
        """Let nobody pay it any more, as far as the provider can do that. One that is paid or over stays as it is.

        Raises:
            ProviderUnavailable: not now.
        """
        ...

    async def refund(self, order: RefundOrder) -> RefundAnswer:
        """Give money back. Asking twice with one `refund_id` refunds once.

        Raises:
            ProviderUnavailable: not now; the caller tries again later.
            RefundRefused: never.
        """
        ...

    async def parse_webhook(self, headers: Mapping[str, str], body: bytes) -> ProviderEvent:
        """Prove who sent a message, then read it. `headers` have lower-case names.

        Raises:
            BadSignature: not signed with our key, or too long ago.
            UnreadableWebhook: signed, but not understood.
            ProviderUnavailable: what it takes to prove it cannot be had now.
        """
        ...

    async def dispose(self) -> None:
        """Close its connections."""
        ...


Providers: TypeAlias = Mapping[str, PaymentProvider]
"""The providers of the process, by name."""
