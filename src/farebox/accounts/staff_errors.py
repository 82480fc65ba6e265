"""Errors of acting for an operator: staff, invitations, API keys, devices, and proving more than usual."""

from farebox.core.errors import DomainError, NotAllowed, NotFound
from farebox.core.i18n import N_


class SecondProofRequired(NotAllowed):
    """Signed in well enough, but not for this: the operator or the platform asks its staff for a second factor.

    The same code as for a sign-in that is half done, and another status: here there is nothing to go on with.
    """

    code = "second-factor-required"
    message = N_("This needs a second factor. Set one up, then sign in with it.")


class StepUpRequired(NotAllowed):
    """Proved too long ago for what matters as much as this."""

    code = "step-up-required"
    message = N_("Confirm first that it is you.")


class MemberNotFound(NotFound):
    code = "member-not-found"
    message = N_("Nobody of this kind works for the operator.")


class InvitationNotFound(NotFound):
    code = "invitation-not-found"
    message = N_("There is no such invitation. It may have been taken back or accepted.")


class InvitationOver(DomainError):
    """A link that was used, taken back or sent anew, has run out, or was never sent."""

    code = "invitation-over"
    message = N_("This invitation was used or taken back, or its time is over. Ask for a new one.")


class InvitationForAnother(NotAllowed):
    """Signed in with another address than the invited one, or with one that is not verified."""

    code = "invitation-for-another"
    message = N_("This invitation was sent to another e-mail address. Sign in with that one, and confirm it first.")


class AlreadyStaff(DomainError):
    code = "already-staff"
    message = N_("This person works for the operator already. Change their role instead.")


class LastOperatorAdmin(DomainError):
    """Nobody would be left to manage the staff."""

    code = "last-operator-admin"
    message = N_("An operator needs at least one administrator. Make somebody else one first.")


class RoleNotGrantable(NotAllowed):
    """A role or a scope with more in it than the giver has, or a higher role for oneself."""

    code = "not-grantable"
    message = N_("You cannot give more than you may do yourself.")


class KeyNotFound(NotFound):
    code = "key-not-found"
    message = N_("There is no such API key.")


class DeviceNotFound(NotFound):
    code = "device-not-found"
    message = N_("There is no such device.")


class PairingFailed(DomainError):
    """A code that is wrong, was used, or has run out."""

    code = "pairing-failed"
    message = N_("This code is not right, was used already, or its time is over. Show a new one.")


class TooManyOfThem(DomainError):
    """More invitations, keys or devices than anybody needs. `most` is how many there may be."""

    code = "too-many-of-them"
    message = N_("There are too many already: at most {most}. Remove some first.")


class InvitedTooOften(DomainError):
    """This address got as many invitations of this operator as anybody may be sent. `retry_after` is in seconds."""

    code = "invited-too-often"
    message = N_("This address was mailed often enough for now. Try again in {retry_after} seconds.")
