"""The console's pages: for those who act for an operator."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal
from uuid import UUID

from markupsafe import Markup

from farebox.accounts import ApiKey, Device, Invitation, Member, OperatorView, Post

Section = Literal["today", "fares", "rules", "codes", "terms", "till", "staff", "keys", "devices"]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several, as a form shows it."""

    value: str
    label: str
    hint: str = ""


def section_path(operator_id: UUID, section: Section) -> str:
    """Where a section of an operator's console is: the console begins with what is up today."""
    return f"/console/{operator_id}" if section == "today" else f"/console/{operator_id}/{section}"


@dataclass(frozen=True, slots=True)
class Office:
    """The operator whose console this is, and the sections that are open to the reader. `is_only`: there is no other
    for whom they act."""

    operator: OperatorView
    section: Section
    sections: tuple[Section, ...]
    is_only: bool = False

    @property
    def path(self) -> str:
        return f"/console/{self.operator.id}"

    def path_of(self, section: Section) -> str:
        return section_path(self.operator.id, section)


@dataclass(frozen=True, slots=True)
class PostsView:
    posts: tuple[Post, ...]
    sections: dict[UUID, tuple[Section, ...]]

    def path_of(self, operator_id: UUID, section: Section) -> str:
        return section_path(operator_id, section)


@dataclass(frozen=True, slots=True)
class StaffView:
    office: Office
    me: UUID | None
    members: tuple[Member, ...]
    invitations: tuple[Invitation, ...]
    requires_second_factor: bool
    can_require: bool
    done: str = ""


@dataclass(frozen=True, slots=True)
class InviteView:
    office: Office
    roles: tuple[Choice, ...]
    email: str = ""
    role: str = "agent"
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MemberView:
    office: Office
    member: Member
    roles: tuple[Choice, ...]
    is_me: bool
    error: str = ""


@dataclass(frozen=True, slots=True)
class KeysView:
    office: Office
    keys: tuple[ApiKey, ...]
    now: datetime
    done: str = ""


@dataclass(frozen=True, slots=True)
class NewKeyView:
    office: Office
    scopes: tuple[Choice, ...]
    name: str = ""
    chosen: frozenset[str] = frozenset()
    days: str = "90"
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class MadeKeyView:
    office: Office
    key: ApiKey
    token: str


@dataclass(frozen=True, slots=True)
class DevicesView:
    office: Office
    devices: tuple[Device, ...]
    now: datetime
    done: str = ""


@dataclass(frozen=True, slots=True)
class NewDeviceView:
    office: Office
    name: str = ""
    errors: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PairingView:
    """A device that waits for its code; `qr` is an SVG made by us."""

    office: Office
    device: Device
    code: str
    qr: Markup


@dataclass(frozen=True, slots=True)
class PairPage:
    """What was typed on the device, and what is wrong with it."""

    code: str = ""
    name: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class PairedPage:
    name: str
    operator: str


@dataclass(frozen=True, slots=True)
class AskView:
    """What will happen, before it does."""

    office: Office
    title: str
    text: str
    action: str
    button: str


@dataclass(frozen=True, slots=True)
class JoinView:
    """An invitation, to whoever has its link."""

    operator: OperatorView
    role: str
    token: str
    expires_at: datetime
    is_signed_in: bool
    sign_in_url: str
    register_url: str
    error: str = ""
