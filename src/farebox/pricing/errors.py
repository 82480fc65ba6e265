"""What can be wrong with a price."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class NotForSale(DomainError):
    """The operator has no fare for this ride."""

    code = "not-for-sale"
    message = N_("The operator does not sell this journey.")


class BadFareTerms(DomainError):
    """Terms that contradict each other or the money they are told in."""

    code = "bad-fare-terms"
    message = N_("These fare terms cannot be used: {reason}")


class FareNotFound(NotFound):
    """No fare was set by hand there, or it was ended meanwhile."""

    code = "fare-not-found"
    message = N_("No fare is set by hand here any more.")


class PriceRuleNotFound(NotFound):
    """No such rule, or somebody has changed it meanwhile."""

    code = "price-rule-not-found"
    message = N_("This rule is not there any more. Somebody may have changed it.")


class PromotionNotFound(DomainError):
    """No such promotion, or another operator's."""

    code = "promotion-not-found"
    message = N_("We could not find this promotion.")


class PromotionCodeTaken(DomainError):
    """Codes are unique on the platform, so that a traveller need not say whose they are."""

    code = "promotion-code-taken"
    message = N_("The code {promotion_code} is taken. Choose another one.")
