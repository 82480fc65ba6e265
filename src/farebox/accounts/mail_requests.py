"""Mails that people ask for: to confirm an address, to choose a new password, to change the address.

Whoever asks learns nothing. A request is one job, queued without looking whether there is such an account, so that
known and unknown addresses are alike in what is answered and in how long it takes. The job looks; it makes the link and
mails it. What it is told is sealed, since it names people, and is gone with the job.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, TypeAlias
from urllib.parse import urlencode
from uuid import UUID

import msgspec

from farebox.accounts.attempts import attempt_key, note_failure
from farebox.accounts.errors import TooManyAttempts
from farebox.accounts.mail_tokens import (
    Purpose,
    is_mailed_too_often,
    make_mail_token,
    newest_sealed,
    void_mail_tokens,
)
from farebox.accounts.people import Person, find_person_by_email, get_person
from farebox.accounts.person_events import UserRegistered
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.i18n import current_language
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs

MAIL_REQUESTED: Final = "accounts.mail-requested"
"""The job that answers requests. Notifications register it: they know the words."""

VERIFY_SECONDS: Final = 86_400
RESET_SECONDS: Final = 3_600
CHANGE_SECONDS: Final = 86_400

Wish: TypeAlias = Literal["register", "verify-email", "reset-password", "change-email", "email-changed"]


class Registration(msgspec.Struct, frozen=True):
    """What somebody gave to register with. Becomes theirs when they confirm the address."""

    password_hash: str
    first_name: str
    last_name: str
    phone: str


class MailRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A wish, and what is needed to fulfil it.

    Attributes:
        email: as typed by whoever asks.
        person_id: with `register`: of the account that was made, if the address had none; with the wishes about a
            change of address: whose it is.
        new_email: where the address is to change.
        next_path: with `register`, `verify-email` and `reset-password`: where somebody was going, which the link goes
            on to.
    """

    id: UUID
    wish: Wish
    email: str
    language: str
    person_id: UUID | None = None
    new_email: str = ""
    registration: Registration | None = None
    next_path: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class AccountMail:
    """A mail to be written. `kind` names its words, `whom` is a person or an address, `facts` are what it says."""

    kind: str
    whom: UUID | str
    facts: Mapping[str, Any] = field(default_factory=dict)


async def ask_for_mail(
    work: UnitOfWork,
    jobs: Jobs,
    wish: Wish,
    email: str,
    *,
    secrets: Secrets,
    person_id: UUID | None = None,
    new_email: str = "",
    registration: Registration | None = None,
    next_path: str = "",
) -> None:
    """Queue a wish. Says nothing about whether there is such an account."""
    request = MailRequest(
        id=new_id(),
        wish=wish,
        email=email,
        language=current_language(),
        person_id=person_id,
        new_email=new_email,
        registration=registration,
        next_path=next_path,
    )
    sealed = secrets.encrypt(msgspec.json.encode(request).decode())
    await jobs.defer(work, MAIL_REQUESTED, sealed=base64.b64encode(sealed).decode())


def open_request(sealed: str, *, secrets: Secrets) -> MailRequest:
    """A request as the job got it."""
    return msgspec.json.decode(secrets.decrypt(base64.b64decode(sealed)), type=MailRequest)


async def answer_mail_request(work: UnitOfWork, request: MailRequest, *, secrets: Secrets) -> list[AccountMail]:
    """The mails that a request leads to, with their links; none where there is nothing to be said."""
    match request.wish:
        case "register":
            return await _answer_registration(work, request, secrets)
        case "verify-email":
            return await _answer_resend(work, request, secrets)
        case "reset-password":
            return await _answer_reset(work, request, secrets)
        case "change-email":
            return await _answer_change(work, request, secrets)
        case "email-changed":
            return [AccountMail("email-changed", request.email, {"at": work.now})]


async def _answer_registration(work: UnitOfWork, request: MailRequest, secrets: Secrets) -> list[AccountMail]:
    person = await find_person_by_email(work, request.email, secrets=secrets)
    if person is None:
        return []  # erased in this moment
    if person.is_verified:
        try:
            await note_failure(work, attempt_key(secrets, f"already-registered:{person.id}"))
        except TooManyAttempts:
            return []
        return [AccountMail("already-registered", person.id, {"url": _with("/sign-in", next=request.next_path)})]
    sealed = None
    if person.id == request.person_id:
        work.publish(UserRegistered(user_id=person.id))
    elif request.registration is not None:
        # Somebody registered with this address before and never proved it, perhaps somebody else. What counts is what
        # was given in the registration whose link is used: each link carries its own.
        sealed = secrets.encrypt(msgspec.json.encode(request.registration).decode())
    return await _verification(work, person, sealed, request.next_path)


async def _answer_resend(work: UnitOfWork, request: MailRequest, secrets: Secrets) -> list[AccountMail]:
    person = await find_person_by_email(work, request.email, secrets=secrets)
    if person is None or person.is_verified:
        return []
    if await newest_sealed(work, person.id, "verify-email") is not None:
        # Several registered with this address, and nothing tells whose link is wanted: its owner chooses a password.
        return await _answer_reset(work, request, secrets)
    return await _verification(work, person, None, request.next_path)


async def _verification(work: UnitOfWork, person: Person, sealed: bytes | None, next_path: str) -> list[AccountMail]:
    if await is_mailed_too_often(work, person.id, "verify-email"):
        return []
    token = await make_mail_token(work, person.id, "verify-email", seconds=VERIFY_SECONDS, sealed=sealed)
    facts = {"url": _with("/verify-email", token=token, next=next_path), "hours": VERIFY_SECONDS // 3600}
    return [AccountMail("verify-email", person.id, facts)]


async def _answer_reset(work: UnitOfWork, request: MailRequest, secrets: Secrets) -> list[AccountMail]:
    person = await find_person_by_email(work, request.email, secrets=secrets)
    if person is None or await is_mailed_too_often(work, person.id, "reset-password"):
        return []
    token = await make_mail_token(work, person.id, "reset-password", seconds=RESET_SECONDS)
    facts = {"url": _with("/reset-password", token=token, next=request.next_path), "minutes": RESET_SECONDS // 60}
    return [AccountMail("reset-password", person.id, facts)]


async def _answer_change(work: UnitOfWork, request: MailRequest, secrets: Secrets) -> list[AccountMail]:
    """A link to the old address and one to the new. Where that is somebody's already, it is told there, not here."""
    assert request.person_id is not None, "a change of address is somebody's"
    person = await get_person(work, request.person_id, secrets=secrets)
    if await is_mailed_too_often(work, person.id, "change-email"):
        return []
    await void_mail_tokens(work, person.id, "change-email", "confirm-new-email")  # those of an earlier change
    sealed = secrets.encrypt(request.new_email)

    async def link(purpose: Purpose) -> dict[str, Any]:
        token = await make_mail_token(work, person.id, purpose, seconds=CHANGE_SECONDS, sealed=sealed)
        return {"url": f"/change-email?token={token}", "hours": CHANGE_SECONDS // 3600}

    to_old = AccountMail("change-email", person.id, await link("change-email") | {"new_email": request.new_email})
    if await find_person_by_email(work, request.new_email, secrets=secrets) is not None:
        return [to_old, AccountMail("already-registered", request.new_email, {"url": "/sign-in"})]
    return [to_old, AccountMail("confirm-new-email", request.new_email, await link("confirm-new-email"))]


def _with(path: str, **query: str) -> str:
    """An address with what of its query is there."""
    given = {name: value for name, value in query.items() if value}
    return f"{path}?{urlencode(given)}" if given else path
