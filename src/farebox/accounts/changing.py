"""Changing how one signs in: a lost password, another password, another address."""

from dataclasses import dataclass
from typing import Literal, TypeAlias
from uuid import UUID

from sqlalchemy import delete, select, update

from farebox.accounts.actor import Actor
from farebox.accounts.attempts import attempt_key, forget_failures, note_failure
from farebox.accounts.errors import EmailTaken, LinkExpired, WrongPassword
from farebox.accounts.mail_requests import ask_for_mail
from farebox.accounts.mail_tokens import Purpose, find_mail_token, use_mail_token, void_mail_tokens, was_used
from farebox.accounts.passwords import Passwords, password_errors
from farebox.accounts.people import LONGEST_EMAIL, Person, email_key, find_person_by_email, get_person
from farebox.accounts.people_models import PersonRow, SignInChallengeRow
from farebox.accounts.person_events import PasswordChanged
from farebox.accounts.person_sessions import end_sessions
from farebox.accounts.personal_audit import note_access, person_subject
from farebox.accounts.registering import check_email
from farebox.accounts.signing_in import CHALLENGE
from farebox.core.crypto import Secrets
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs

ChangeState: TypeAlias = Literal["half", "changed"]


@dataclass(frozen=True, slots=True, repr=False)
class EmailChange:
    """What a link about a change of address would confirm, for the page that asks."""

    old_email: str
    new_email: str
    is_for_new: bool


async def request_password_reset(
    work: UnitOfWork, email: str, *, next_path: str = "", jobs: Jobs, secrets: Secrets
) -> None:
    """Mail a link with which to choose a new password. Says nothing about whether there is such an account.

    Args:
        next_path: where somebody was going, a path of this site; the mailed link goes on to it.
    """
    address = email.strip()[:LONGEST_EMAIL]
    await ask_for_mail(work, jobs, "reset-password", address, secrets=secrets, next_path=next_path)


async def is_reset_possible(work: UnitOfWork, token: str) -> bool:
    """Whether the link still works, for the page that asks for the new password."""
    return await find_mail_token(work, token, "reset-password") is not None


async def reset_password(
    database: Database, token: str, password: str, *, passwords: Passwords, secrets: Secrets
) -> UUID:
    """Set a password by the link that was mailed. Ends all sessions; whoever got the link has proved the address.

    Raises:
        LinkExpired: the link was used, has run out, or was never sent.
        Invalid: the password breaks a rule. The link still works.
    """
    async with database.begin() as work:
        found = await find_mail_token(work, token, "reset-password")
    if found is None:
        raise LinkExpired
    if errors := password_errors(password):
        raise Invalid(errors)
    kept = await passwords.hash(password)
    async with database.begin() as work:
        used = await use_mail_token(work, token, "reset-password")
        if used is None:
            raise LinkExpired
        row = await work.session.get(PersonRow, used.person_id, with_for_update=True)
        if row is None or row.erased_at is not None or row.email is None:
            raise LinkExpired
        row.email_verified_at = row.email_verified_at or work.now
        await _set_password(work, row, kept)
        # a change of address that still waits may have been asked for by whoever is now to be kept out
        await void_mail_tokens(work, row.id, "reset-password", "verify-email", "change-email", "confirm-new-email")
        await end_sessions(work, row.id)
        key = attempt_key(secrets, f"password:{email_key(secrets.decrypt(row.email))}")
        await forget_failures(work, key)
    return used.person_id


async def change_password(
    database: Database,
    person_id: UUID,
    session_id: UUID | None,
    *,
    current: str,
    new: str,
    passwords: Passwords,
    secrets: Secrets,
) -> None:
    """Change the password of who knows it. Ends all sessions but this one, and links that were mailed before.

    Raises:
        WrongPassword: the present one is not right, or there is none: then it is set by `request_password_reset`.
        TooManyAttempts: it was wrong too often.
        Invalid: the new one breaks a rule.
    """
    if errors := password_errors(new, "newPassword"):
        raise Invalid(errors)
    kept = await check_password(database, person_id, current, passwords=passwords, secrets=secrets)
    newer = await passwords.hash(new)
    async with database.begin() as work:
        row = await work.session.get(PersonRow, person_id, with_for_update=True, populate_existing=True)
        if row is None or row.password_hash != kept:
            raise WrongPassword  # changed by somebody else in this moment
        await _set_password(work, row, newer)
        await void_mail_tokens(work, person_id, "reset-password", "change-email", "confirm-new-email")
        await end_sessions(work, person_id, but=session_id)


async def check_password(
    database: Database, person_id: UUID, password: str, *, passwords: Passwords, secrets: Secrets
) -> str:
    """Make sure that who has signed in knows the password too. Returns what is kept of it.

    Raises:
        WrongPassword: they do not, or there is none.
        TooManyAttempts: it was wrong too often.
    """
    async with database.begin() as work:
        person = await get_person(work, person_id, secrets=secrets)
        # counted together with tries to sign in: who took over a session gets no guesses of their own
        key = attempt_key(secrets, f"password:{email_key(person.email)}")
        await note_failure(work, key)
        kept = await work.session.scalar(select(PersonRow.password_hash).where(PersonRow.id == person_id))
    if not await passwords.verify(kept, password) or kept is None:
        raise WrongPassword
    async with database.begin() as work:
        await forget_failures(work, key)
    return kept


async def request_email_change(
    work: UnitOfWork, person: Person, new_email: str, *, jobs: Jobs, secrets: Secrets
) -> None:
    """Mail one link to the present address and one to the new one; the address changes when both were used.

    The caller has made sure that it is the person who asks: see `check_password`.

    Raises:
        Invalid: not an address, or the present one.
    """
    address, errors = check_email(new_email)
    if not errors and email_key(address) == email_key(person.email):
        errors = [FieldError("email", "same-email", N_("This is your address already."))]
    if errors:
        raise Invalid(errors)
    await ask_for_mail(
        work, jobs, "change-email", person.email, secrets=secrets, person_id=person.id, new_email=address
    )


async def find_email_change(work: UnitOfWork, token: str, *, secrets: Secrets) -> EmailChange | None:
    """What a link would confirm; `None` where it is of no use any more."""
    purposes: tuple[Purpose, ...] = ("change-email", "confirm-new-email")
    for purpose in purposes:
        found = await find_mail_token(work, token, purpose)
        if found is not None and found.sealed is not None:
            person = await get_person(work, found.person_id, secrets=secrets)
            return EmailChange(person.email, secrets.decrypt(found.sealed), purpose == "confirm-new-email")
    return None


async def confirm_email_change(work: UnitOfWork, token: str, *, jobs: Jobs, secrets: Secrets) -> ChangeState:
    """Confirm a change of address by one of the two links. Which state it is in then: `half`, until the other is used.

    The old address is told when it has changed.

    Raises:
        LinkExpired: the link was used, has run out, or was never sent.
        EmailTaken: somebody made an account with the new address meanwhile; told to who has proved that it is theirs.
    """
    other: Purpose = "confirm-new-email"
    used = await use_mail_token(work, token, "change-email")
    if used is None:
        other = "change-email"
        used = await use_mail_token(work, token, "confirm-new-email")
    if used is None or used.sealed is None:
        raise LinkExpired
    # of two links used at the same time, the second must see the first
    row = await work.session.get(PersonRow, used.person_id, with_for_update=True, populate_existing=True)
    if row is None or row.email is None:
        raise LinkExpired
    if not await was_used(work, used.person_id, other):
        return "half"
    new_email, old_email = secrets.decrypt(used.sealed), secrets.decrypt(row.email)
    if await find_person_by_email(work, new_email, secrets=secrets) is not None:
        raise EmailTaken
    await work.session.execute(
        update(PersonRow)
        .where(PersonRow.id == row.id)
        .values(
            email=secrets.encrypt(new_email),
            email_index=secrets.blind_index(email_key(new_email)),
            email_verified_at=work.now,
            updated_at=work.now,
        )
    )
    await note_access(work, Actor("user", row.id), person_subject(row.id), "changed", ["email"])
    await void_mail_tokens(work, row.id, "change-email", "confirm-new-email", "reset-password")
    await ask_for_mail(work, jobs, "email-changed", old_email, secrets=secrets, person_id=row.id)
    return "changed"


async def _set_password(work: UnitOfWork, row: PersonRow, kept: str) -> None:
    row.password_hash = kept
    row.password_changed_at = work.now
    row.updated_at = work.now
    # whoever is between the two steps of signing in came there with the former password
    await work.session.execute(
        delete(SignInChallengeRow).where(
            SignInChallengeRow.person_id == row.id, SignInChallengeRow.purpose == CHALLENGE
        )
    )
    work.publish(PasswordChanged(user_id=row.id, occasion=new_id()))
    await work.session.flush()
