"""Becoming a person with an account."""

from typing import Final
from uuid import UUID

import msgspec
from email_validator import EmailNotValidError, validate_email
from sqlalchemy import literal, select, update
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts.errors import EmailTaken, LinkExpired
from farebox.accounts.mail_requests import Registration, ask_for_mail
from farebox.accounts.mail_tokens import use_mail_token, void_mail_tokens
from farebox.accounts.passwords import Passwords, password_errors
from farebox.accounts.people import LONGEST_EMAIL, email_key
from farebox.accounts.people_models import PersonRow
from farebox.core.contacts import is_name, phone_number, tidy_name
from farebox.core.crypto import Secrets
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, current_language
from farebox.core.ids import new_id
from farebox.core.jobs import Jobs

LONGEST_NAME: Final = 100


async def register(
    work: UnitOfWork,
    *,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    phone: str = "",
    region: str = "",
    next_path: str = "",
    passwords: Passwords,
    jobs: Jobs,
    secrets: Secrets,
) -> None:
    """Make an account that can be used once its address is confirmed by the link that is mailed.

    An address that has an account gets a mail that says so. To the caller both are alike: the same work is done.

    Args:
        region: ISO 3166 code of the country that phone numbers without a country code are of.
        next_path: where somebody was going, a path of this site; the mailed link goes on to it.

    Raises:
        Invalid: fields that break a rule.
    """
    address, errors = check_email(email)
    errors += password_errors(password)
    number, names = "", (tidy_name(first_name), tidy_name(last_name))
    for field, name in zip(("firstName", "lastName"), names, strict=True):
        errors += _name_errors(field, name)
    if phone.strip():
        number = phone_number(phone, region) or ""
        if not number:
            message = N_("Enter the phone number with its country code, such as +84 912 345 678.")
            errors.append(FieldError("phone", "invalid-phone", message))
    if errors:
        raise Invalid(errors)
    password_hash = await passwords.hash(password)  # before anything is asked of the database: it takes its time
    made = await _insert(
        work,
        email=address,
        first_name=names[0],
        last_name=names[1],
        phone=number,
        language=current_language(),
        password_hash=password_hash,
        verified=False,
        secrets=secrets,
    )
    registration = Registration(password_hash, names[0], names[1], number)
    await ask_for_mail(
        work,
        jobs,
        "register",
        address,
        secrets=secrets,
        person_id=made,
        registration=registration,
        next_path=next_path,
    )


async def verify_email(work: UnitOfWork, token: str, *, secrets: Secrets) -> UUID:
    """Confirm an address by the link that was mailed to it. Whose it is.

    Raises:
        LinkExpired: the link was used, has run out, or was never sent.
    """
    used = await use_mail_token(work, token, "verify-email")
    if used is None:
        raise LinkExpired
    values: dict[str, object] = {"email_verified_at": work.now, "updated_at": work.now}
    if used.sealed is not None:
        given = msgspec.json.decode(secrets.decrypt(used.sealed), type=Registration)
        values |= {
            "password_hash": given.password_hash,
            "password_changed_at": work.now,
            "first_name": given.first_name,
            "last_name": given.last_name,
            **_phone(given.phone, secrets),
        }
    await void_mail_tokens(work, used.person_id, "verify-email")
    verified: UUID | None = await work.session.scalar(
        update(PersonRow)
        .where(PersonRow.id == used.person_id, PersonRow.email_verified_at.is_(None), PersonRow.erased_at.is_(None))
        .values(values)
        .returning(PersonRow.id)
    )
    if verified is None:
        raise LinkExpired
    return verified


async def resend_verification(
    work: UnitOfWork, email: str, *, next_path: str = "", jobs: Jobs, secrets: Secrets
) -> None:
    """Mail the link that confirms an address again. Says nothing about whether there is something to confirm."""
    address = email.strip()[:LONGEST_EMAIL]
    await ask_for_mail(work, jobs, "verify-email", address, secrets=secrets, next_path=next_path)


async def make_person(
    work: UnitOfWork,
    *,
    email: str,
    first_name: str = "",
    last_name: str = "",
    verified: bool,
    secrets: Secrets,
    language: str | None = None,
) -> UUID:
    """Make an account without a password; for those who have proved the address otherwise, and for invitations.

    Args:
        verified: whether the address is known to be theirs.

    Raises:
        EmailTaken: somebody has this address. Never to be told to who asks from outside.
    """
    made = await _insert(
        work,
        email=email.strip(),
        first_name=first_name,
        last_name=last_name,
        phone="",
        language=language,
        password_hash=None,
        verified=verified,
        secrets=secrets,
    )
    if made is None:
        raise EmailTaken
    return made


def check_email(typed: str) -> tuple[str, list[FieldError]]:
    """An address in one form, and what is wrong with it."""
    address = typed.strip()
    if not address:
        return "", [FieldError("email", "required", N_("Enter an e-mail address."))]
    try:
        # Whether the domain takes mail is not asked here: that is a network call, and the mail itself will tell.
        checked = validate_email(address[: LONGEST_EMAIL + 1], check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        return "", [FieldError("email", "invalid-email", N_("Enter an e-mail address such as name@example.com."))]
    return checked.normalized, []


async def _insert(
    work: UnitOfWork,
    *,
    email: str,
    first_name: str,
    last_name: str,
    phone: str,
    language: str | None,
    password_hash: str | None,
    verified: bool,
    secrets: Secrets,
) -> UUID | None:
    """The new person's id, `None` where somebody has the address. One statement, found out at the same cost."""
    values = {
        "id": new_id(),
        "email": secrets.encrypt(email),
        "email_index": secrets.blind_index(email_key(email)),
        "email_verified_at": work.now if verified else None,
        "password_hash": password_hash,
        "password_changed_at": work.now if password_hash else None,
        "first_name": first_name,
        "last_name": last_name,
        **_phone(phone, secrets),
        "roles": ["user"],
        "language": language,
        "preferences": {},
        "settings": {},
        "created_at": work.now,
        "updated_at": work.now,
    }
    # the unique key knows the newest digest only, and an address may be kept under that of an older key
    columns = PersonRow.__table__.columns
    taken = select(PersonRow.id).where(PersonRow.email_index.in_(secrets.blind_indexes(email_key(email)))).exists()
    row = select(*(literal(value, columns[name].type).label(name) for name, value in values.items())).where(~taken)
    made: UUID | None = await work.session.scalar(
        insert(PersonRow)
        .from_select(list(values), row)
        .on_conflict_do_nothing(index_elements=["email_index"])
        .returning(PersonRow.id)
    )
    return made


def _phone(number: str, secrets: Secrets) -> dict[str, object]:
    if not number:
        return {"phone": None, "phone_index": None}
    return {"phone": secrets.encrypt(number), "phone_index": secrets.blind_index(number)}


def _name_errors(field: str, name: str) -> list[FieldError]:
    if len(name) > LONGEST_NAME:
        return [FieldError(field, "too-long", N_("This name is too long."))]
    if name and not is_name(name):
        return [FieldError(field, "invalid-name", N_("Enter a name with letters."))]
    return []
