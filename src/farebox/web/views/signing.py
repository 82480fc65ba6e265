"""Signing in, registering, and what is confirmed by mailed links."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from farebox.web.views.factors import ProviderLink


@dataclass(frozen=True, slots=True)
class SignInView:
    """The first step.

    Attributes:
        next_path: where to go on afterwards, a path of our own, or empty.
        providers: with whom one may sign in instead.
        has_passkeys: whether passkeys are possible at this address.
        unverified: the address whose confirmation is still missing, to be mailed again.
        was_reset: a new password was just chosen.
    """

    next_path: str = ""
    email: str = ""
    error: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    providers: Sequence[ProviderLink] = ()
    has_passkeys: bool = False
    unverified: str = ""
    was_reset: bool = False
    register_url: str = "/register"
    forgot_url: str = "/forgot-password"


@dataclass(frozen=True, slots=True)
class SecondStepView:
    """The second step. `factors` are the kinds that may be given: `totp`, `recovery-code`, `passkey`."""

    next_path: str
    factors: frozenset[str]
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RegisterView:
    next_path: str = ""
    sign_in_url: str = "/sign-in"
    values: Mapping[str, str] = field(default_factory=dict)
    errors: Mapping[str, str] = field(default_factory=dict)
    providers: Sequence[ProviderLink] = ()
    has_passkeys: bool = False

    def value(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class MailSentView:
    """A mail is on its way, if there is anything to be mailed. `again_url` takes the address once more."""

    title: str
    text: str
    email: str
    again_url: str
    next_path: str = ""
    sign_in_url: str = "/sign-in"


@dataclass(frozen=True, slots=True)
class LinkView:
    """What a mailed link is to confirm; nothing happens before the button is pressed."""

    title: str
    text: str
    url: str
    token: str
    button: str
    next_path: str = ""


@dataclass(frozen=True, slots=True)
class DoneView:
    """What has happened, and the way on."""

    title: str
    text: str
    way_url: str = ""
    way_label: str = ""


@dataclass(frozen=True, slots=True)
class ForgotView:
    """Asking for the link with which to choose a password."""

    next_path: str = ""
    sign_in_url: str = "/sign-in"
    email: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class NewPasswordView:
    """Choosing a password with a mailed link."""

    token: str
    next_path: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PasswordView:
    """Changing it. Who has none is sent the link with which to choose one."""

    email: str
    has_password: bool
    errors: Mapping[str, str] = field(default_factory=dict)
    was_changed: bool = False


@dataclass(frozen=True, slots=True)
class EmailView:
    email: str
    has_password: bool
    new_email: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)
    sent_to: str = ""
