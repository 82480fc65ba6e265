"""Errors of accounts."""

from farebox.core.errors import DomainError, NotFound
from farebox.core.i18n import N_


class OperatorNotFound(NotFound):
    code = "operator-not-found"
    message = N_("There is no such operator.")


class PersonNotFound(NotFound):
    code = "person-not-found"
    message = N_("There is no such person.")


class SessionNotFound(NotFound):
    code = "session-not-found"
    message = N_("There is no such session. It may have ended.")


class EmailTaken(DomainError):
    """Somebody has this address. Not told to who asks from outside: it would tell who has an account."""

    code = "email-taken"
    message = N_("This e-mail address belongs to another account.")


class InvalidCredentials(DomainError):
    """The same for an address without an account, a wrong password, and an account without a password."""

    code = "invalid-credentials"
    message = N_("The e-mail address or the password is not right.")


class EmailNotVerified(DomainError):
    """Told only to who knows the password."""

    code = "email-not-verified"
    message = N_("Confirm your e-mail address first: follow the link in the mail that we sent you.")


class TooManyAttempts(DomainError):
    """Too many wrong passwords or codes for one account, whether it exists or not. `retry_after` is in seconds."""

    code = "too-many-attempts"
    message = N_("That was wrong too often. Try again in {retry_after} seconds, or reset your password.")


class SecondFactorRequired(DomainError):
    """The password was right; a second proof is asked for. `challenge_token` goes along with it."""

    code = "second-factor-required"
    message = N_("Give your second factor too.")


class WrongCode(DomainError):
    code = "wrong-code"
    message = N_("This code is not right, or it was used already.")


class LinkExpired(DomainError):
    """A mailed link that was used, has run out, or was never sent."""

    code = "link-expired"
    message = N_("This link was used already, or its time is over. Ask for a new one.")


class InvalidRefreshToken(DomainError):
    """Unknown, run out, or used before: then its whole family has ended."""

    code = "invalid-refresh-token"
    message = N_("Your session has ended. Sign in again.")


class ChallengeExpired(DomainError):
    """The first step of a sign-in is too long ago, or was finished."""

    code = "challenge-expired"
    message = N_("This took too long. Sign in again from the beginning.")


class WrongPassword(DomainError):
    """The present password, asked for before something of the account changes, is not right."""

    code = "wrong-password"
    message = N_("This is not your present password.")
