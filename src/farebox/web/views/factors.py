"""What the pages about second factors, passkeys and linked accounts show."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from farebox.accounts import Factor, Identity
from farebox.core.i18n import format_day
from farebox.core.i18n import gettext as _

DAY = "d MMM y"


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One authenticator app or passkey. `url` is its own page."""

    kind: str
    name: str
    added: str
    used: str
    url: str

    @classmethod
    def of(cls, factor: Factor) -> "FactorRow":
        return cls(
            kind_label(factor.kind),
            factor.name,
            format_day(factor.created_at, DAY),
            format_day(factor.used_at, DAY) if factor.used_at else "",
            f"/account/security/factors/{factor.id}",
        )


@dataclass(frozen=True, slots=True)
class IdentityRow:
    """One linked account elsewhere."""

    label: str
    email: str
    added: str
    url: str

    @classmethod
    def of(cls, identity: Identity, labels: Mapping[str, str]) -> "IdentityRow":
        return cls(
            labels.get(identity.provider, identity.provider),
            identity.email,
            format_day(identity.created_at, DAY),
            f"/account/security/identities/{identity.id}/remove",
        )


@dataclass(frozen=True, slots=True)
class ProviderLink:
    """A provider, and where the browser goes to sign in there."""

    label: str
    url: str


@dataclass(frozen=True, slots=True)
class FactorsPart:
    """The parts of the security page that `account/factors.html` draws.

    Attributes:
        is_required: the person's work needs a second factor.
        codes_left: recovery codes that were not used.
        has_passkeys: whether passkeys are possible at this address at all.
        providers: those that may be linked.
    """

    factors: Sequence[FactorRow]
    codes_left: int
    is_required: bool
    has_passkeys: bool
    identities: Sequence[IdentityRow]
    providers: Sequence[ProviderLink]


@dataclass(frozen=True, slots=True)
class NameView:
    """Asking for the name of something new, or of something there is."""

    name: str = ""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class SetupView:
    """An authenticator app being set up; the QR code is drawn by us."""

    url: str
    qr: Markup
    secret: str
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class CodesView:
    """Recovery codes, shown this once."""

    codes: Sequence[str]
    is_first: bool


@dataclass(frozen=True, slots=True)
class FactorView:
    """One factor's own page."""

    row: FactorRow
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RemoveView:
    """Asks before something goes: what it is, what it means, and why it cannot be where it cannot."""

    title: str
    text: str
    url: str
    button: str
    problem: str = ""


@dataclass(frozen=True, slots=True)
class ConfirmView:
    """Proving again who one is. `next` is where the browser goes afterwards."""

    proofs: frozenset[str]
    next: str
    providers: Sequence[ProviderLink] = ()
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, repr=False)
class LinkView:
    """Two accounts that may be the same person's. `own_email` is empty for who has yet to sign in.

    `next`: where they go on afterwards; empty: to their account's security.
    """

    label: str
    email: str
    own_email: str = ""
    next: str = ""
    sign_in_url: str = ""
    forgot_url: str = ""


@dataclass(frozen=True, slots=True)
class ProviderProblem:
    """A sign-in elsewhere that came to nothing, why, and the ways on. `other_url`: empty where there is one only."""

    title: str
    text: str
    again_url: str
    other_url: str = ""


@dataclass(frozen=True, slots=True)
class PasskeyProblem:
    """A passkey that signed nobody in, and the way back."""

    text: str
    again_url: str


def kind_label(kind: str) -> str:
    return _("Passkey") if kind == "passkey" else _("Authenticator app")
