"""The words of messages to people about their account: what they say, by kind.

All are drawn from one template. A text may name facts, as in `{device}`, which whoever tells gives along.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from farebox.core.i18n import N_
from farebox.notifications.views import MessageKind


@dataclass(frozen=True, slots=True)
class Letter:
    """One kind of message. Texts are marked for translation.

    Attributes:
        subject: also the headline.
        text: the paragraphs before the button.
        button: what the link is called; the link itself is the fact `url`. Empty: no button.
        after: the paragraphs below it.
        is_secret: its link or code is nowhere but in the mail; what we keep is blanked once it was sent.
    """

    subject: str
    text: tuple[str, ...]
    button: str = ""
    after: tuple[str, ...] = ()
    is_secret: bool = False


NOT_YOU: Final = N_(
    "If that was not you, reset your password now: it ends all sessions, and nobody stays signed in but you."
)
CALL_US: Final = N_("If that was not you, answer to this mail or ask us for help at once.")
TO_SECURITY: Final = N_("Look at your account's security")
TO_ACCOUNT: Final = N_("Look at your sign-ins")
TO_RESET: Final = N_("Reset the password")

LETTERS: Final[Mapping[MessageKind, Letter]] = {
    MessageKind.VERIFY_EMAIL: Letter(
        N_("Confirm your e-mail address"),
        (N_("Somebody has made an account with this address. If it was you, confirm it; then you can sign in."),),
        N_("Confirm the address"),
        (
            N_("The link works once, for {hours} hours."),
            N_("If it was not you, you need not do anything: without the confirmation there is no account."),
        ),
        is_secret=True,
    ),
    MessageKind.ALREADY_REGISTERED: Letter(
        N_("You already have an account"),
        (
            N_(
                "Somebody, probably you, wanted to use this address for an account. It has one already, so nothing was"
                " changed. Sign in with it; if the password is lost, reset it."
            ),
        ),
        N_("Sign in"),
        (N_("If it was not you, you need not do anything."),),
    ),
    MessageKind.RESET_PASSWORD: Letter(
        N_("Choose a new password"),
        (N_("Somebody asked for a new password for your account. If it was you, choose one."),),
        N_("Choose a new password"),
        (
            N_("The link works once, for {minutes} minutes. When you use it, all your sessions end."),
            N_("If it was not you, you need not do anything: your password stays what it is."),
        ),
        is_secret=True,
    ),
    MessageKind.PASSWORD_CHANGED: Letter(
        N_("Your password was changed"),
        (N_("The password of your account was changed on {at}. Your other sessions have ended."), NOT_YOU),
        TO_RESET,
    ),
    MessageKind.CHANGE_EMAIL: Letter(
        N_("Confirm that your e-mail address changes"),
        (
            N_(
                "Somebody who is signed in to your account asked to change its address to {new_email}. If it was you,"
                " confirm it here, and with the link that we sent to the new address."
            ),
        ),
        N_("Confirm the change"),
        (N_("The link works once, for {hours} hours."), NOT_YOU),
        is_secret=True,
    ),
    MessageKind.CONFIRM_NEW_EMAIL: Letter(
        N_("Confirm your new e-mail address"),
        (
            N_(
                "Somebody wants to use this address for their account. If it was you, confirm it here, and with the"
                " link that we sent to your present address."
            ),
        ),
        N_("Confirm the new address"),
        (N_("The link works once, for {hours} hours."), N_("If it was not you, you need not do anything.")),
        is_secret=True,
    ),
    MessageKind.EMAIL_CHANGED: Letter(
        N_("Your e-mail address was changed"),
        (
            N_("The address of your account was changed on {at}. From now on you sign in with the new one."),
            N_("If that was not you, answer to this mail or ask us for help at once."),
        ),
    ),
    MessageKind.NEW_SIGN_IN: Letter(
        N_("New sign-in to your account"),
        (N_("Your account was signed in to on a device that we had not seen: {device}, on {at}."), NOT_YOU),
        TO_ACCOUNT,
    ),
    MessageKind.STAFF_INVITED: Letter(
        N_("{operator} invites you to work with Farebox"),
        (
            N_(
                "{operator} would like you to work for it in its booking system, as: {role}. Accept the invitation"
                " while signed in with this address, or make an account with it first."
            ),
        ),
        N_("Look at the invitation"),
        (
            N_("The link works once, for {days} days."),
            N_("If you do not know what this is about, you need not do anything."),
        ),
        is_secret=True,
    ),
    MessageKind.ACCOUNT_ERASED: Letter(
        N_("Your account was erased"),
        (
            N_(
                "Your account and everything in it that names you have been erased. Of your bookings we keep what tax"
                " law asks for: amounts, dates and references, without your name."
            ),
            N_("Nothing else will be sent to this address about the account."),
        ),
    ),
    MessageKind.FACTOR_ADDED: Letter(
        N_("A second factor was added to your account"),
        (
            N_("An authenticator app or a passkey was added to your account on {at}. It can be used to sign in."),
            CALL_US,
        ),
        TO_SECURITY,
    ),
    MessageKind.FACTOR_REMOVED: Letter(
        N_("A second factor was removed from your account"),
        (
            N_(
                "An authenticator app or a passkey was removed from your account on {at}. It is not asked for any more."
            ),
            CALL_US,
        ),
        TO_SECURITY,
    ),
    MessageKind.RECOVERY_CODES_RENEWED: Letter(
        N_("You have new recovery codes"),
        (N_("New recovery codes were made for your account on {at}. The earlier ones work no more."), CALL_US),
        TO_SECURITY,
    ),
    MessageKind.IDENTITY_LINKED: Letter(
        N_("Another account was linked to yours"),
        (
            N_("An account at another provider was linked to yours on {at}. It can be used to sign in here."),
            CALL_US,
        ),
        TO_SECURITY,
    ),
    MessageKind.IDENTITY_UNLINKED: Letter(
        N_("A linked account was taken away"),
        (N_("An account at another provider was unlinked from yours on {at}."), CALL_US),
        TO_SECURITY,
    ),
    MessageKind.REFRESH_TOKEN_REUSED: Letter(
        N_("A session of yours was ended"),
        (
            N_(
                "A program showed a key to your account that had been used before. Either it has a fault, or somebody"
                " copied the key. To be safe, that session has ended; sign in again there."
            ),
            NOT_YOU,
        ),
        TO_ACCOUNT,
    ),
}
"""Kind -> its words."""
