"""What payments refuse."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class PaymentNotFound(NotFound):
    code = "payment-not-found"
    message = N_("We could not find this payment.")


class UnknownMethod(DomainError):
    code = "unknown-payment-method"
    message = N_("This way of paying is not offered here.")


class UnknownProvider(NotFound):
    code = "unknown-payment-provider"
    message = N_("There is no such payment provider here.")


class NotPayable(DomainError):
    """The booking does not wait for money: it is paid, over, or free of charge."""

    code = "not-payable"
    message = N_("This booking does not wait for a payment.")


class NothingToPay(DomainError):
    """The total is zero: such a booking is confirmed without a payment."""

    code = "nothing-to-pay"
    message = N_("There is nothing to pay for this booking. Confirm it instead.")


class PaymentRequired(DomainError):
    """No verified payment has arrived for this booking (yet)."""

    code = "payment-required"
    message = N_("We have not received a payment for this booking yet.")


class ProviderUnavailable(DomainError):
    """The provider did not take the order; nothing was charged."""

    code = "provider-unavailable"
    message = N_("The payment service does not answer. Nothing was charged. Please try again, or pay another way.")


class OrderRefused(ProviderUnavailable):
    """The provider will not take this order, however often it is asked: its amount, or what it knows of the payee."""

    code = "order-refused"
    message = N_("The payment service does not take this payment. Nothing was charged. Please pay another way.")


class RefundRefused(DomainError):
    """The provider will not give this money back the way it came, however often it is asked."""

    code = "refund-refused"
    message = N_("The payment service refused the refund. The money is still owed: pay it back another way.")


class RefundTooLarge(DomainError):
    """`left` is what can still be given back."""

    code = "refund-too-large"
    message = N_("This is more than is left of what was paid.")


class NoWallet(DomainError):
    """Only people with an account have a wallet; guests and programs have none."""

    code = "no-wallet"
    message = N_("Only people with an account have a wallet. Choose to get the money back the way it was paid.")


class WalletTooSmall(DomainError):
    code = "wallet-too-small"
    message = N_("There is less money in your wallet than this takes. Look at its balance and try again.")


class PayoutTooLarge(DomainError):
    """Only what was put into a wallet can be paid out of it. `left` is how much of that has not gone out."""

    code = "payout-too-large"
    message = N_("Only money that you have put into the wallet can be paid out, and this is more than is left of it.")


class InvoiceNotFound(NotFound):
    code = "invoice-not-found"
    message = N_("We could not find this invoice.")


class InvoiceDetailsFixed(DomainError):
    """Each change after the sale is a credit note and an invoice of the operator's. `most` is how many there may be."""

    code = "invoice-details-fixed"
    message = N_("This was changed {most} times already. Please write to the operator.")


class RefundNotFound(NotFound):
    code = "refund-not-found"
    message = N_("We could not find this refund.")


class NotByHand(DomainError):
    """The staff note cash and transfers only; what came through a provider, the provider tells."""

    code = "not-by-hand"
    message = N_("This payment is not made in cash or by transfer. Its provider tells what came.")


class ReferenceUsed(DomainError):
    """The same money cannot be noted for two payments, nor in two amounts."""

    code = "reference-used"
    message = N_("Money with the reference {reference} is noted already, for another payment or in another amount.")


class BadSignature(DomainError):
    """A webhook that its provider did not sign with our key, or signed too long ago."""

    code = "bad-signature"
    message = N_("The signature of this message is not valid.")


class UnreadableWebhook(DomainError):
    """Signed, but not in a form that we know."""

    code = "unreadable-webhook"
    message = N_("This message cannot be read.")
