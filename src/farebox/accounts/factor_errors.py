"""Errors of second factors, passkeys, and signing in elsewhere."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class FactorNotFound(NotFound):
    code = "factor-not-found"
    message = N_("There is no such second factor. If you were setting it up, begin anew.")


class TooManyFactors(DomainError):
    code = "too-many-factors"
    message = N_("You have {most} authenticators and passkeys, and more are not possible. Remove one first.")


class FactorNeeded(DomainError):
    """The last second factor of somebody whose operator asks for one, or of an admin."""

    code = "factor-needed"
    message = N_("Your work needs a second factor. Add another one before you remove this one.")


class ProofNotAccepted(DomainError):
    """A password of somebody who has more than that, or has none."""

    code = "proof-not-accepted"
    message = N_("Confirm with your second factor.")


class PasskeyRefused(DomainError):
    """What a browser sent does not prove a passkey: another site, an old question, a changed or unknown key."""

    code = "passkey-refused"
    message = N_("This passkey did not work. Try again, or use another way.")


class PasskeysUnavailable(DomainError):
    """Browsers have passkeys for names of sites, not for numbers, and only where the connection is safe."""

    code = "passkeys-unavailable"
    message = N_("Passkeys do not work at this address.")


class IdentityNotFound(NotFound):
    code = "identity-not-found"
    message = N_("There is no such linked account.")


class IdentityTaken(DomainError):
    code = "identity-taken"
    message = N_("It is linked to another account here already. Unlink it there first.")


class LastWayIn(DomainError):
    """Without it nobody could sign in."""

    code = "last-way-in"
    message = N_("This is your only way to sign in. Set a password or add a passkey first.")


class UnknownProvider(NotFound):
    code = "unknown-identity-provider"
    message = N_("Signing in with that provider is not possible here.")


class ProviderSignInExpired(DomainError):
    """No such sign-in was begun in this browser, or it is over: used already, or too long ago."""

    code = "provider-sign-in-expired"
    message = N_("This sign-in was begun too long ago, or in another browser. Begin again.")


class ProviderDenied(DomainError):
    """The person, or the provider for them, said no."""

    code = "provider-denied"
    message = N_("You were not signed in: {label} said no, or you cancelled.")


class ProviderUnreachable(DomainError):
    """The provider does not answer, or not in time, or not as it should. Trying again may be right."""

    code = "provider-unreachable"
    message = N_("{label} does not answer at the moment. Try again, or sign in another way.")


class ProviderRefused(DomainError):
    """What the provider answered does not prove who somebody is. The log says why."""

    code = "provider-refused"
    message = N_("The sign-in with {label} could not be verified. Begin again.")


class ProviderEmailUnverified(DomainError):
    code = "provider-email-unverified"
    message = N_(
        "{label} has not verified your e-mail address, so it does not tell us who you are. Verify it there first."
    )


class LinkOver(DomainError):
    """Nothing waits to be linked in this browser, or no longer."""

    code = "identity-link-expired"
    message = N_("There is nothing to link any more. Sign in with the other account again.")
