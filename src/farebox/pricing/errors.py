"""What can be wrong with a price."""

from farebox.core.errors import DomainError
from farebox.core.i18n import N_


class NotForSale(DomainError):
    """The operator has no fare for this ride."""

    code = "not-for-sale"
    message = N_("The operator does not sell this journey.")


class BadFareTerms(DomainError):
    """Terms that contradict each other or the money they are told in."""

    code = "bad-fare-terms"
    message = N_("These fare terms cannot be used: {reason}")
