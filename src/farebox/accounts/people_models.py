"""Tables of people: who they are, how they sign in, what they want, and who has looked at them.

E-mail addresses, phone numbers and birth dates are sealed (AES-256-GCM) and found again by a keyed digest beside them.
Of tokens only the digest is stored.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, BigInteger, CheckConstraint, ForeignKey, Identity, Index, LargeBinary, SmallInteger, Text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from farebox.core.db import Base

PURPOSES = ("verify-email", "reset-password", "change-email", "confirm-new-email", "link-identity")


class PersonRow(Base):
    """Somebody with an account.

    `password_hash` is null for who signs in elsewhere only. `roles` are those of the whole platform (`user`, `premium`,
    `admin`); what somebody may do for an operator is a membership. `erased_at`: the row stays for what law keeps, with
    nothing in it that names anybody.
    """

    __tablename__ = "person"
    __table_args__ = (
        CheckConstraint("roles <@ ARRAY['user', 'premium', 'admin'] AND cardinality(roles) > 0", name="roles"),
        CheckConstraint("(erased_at IS NULL) = (email IS NOT NULL AND email_index IS NOT NULL)", name="erased"),
        Index(None, "phone_index"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    email: Mapped[bytes | None]
    email_index: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    email_verified_at: Mapped[datetime | None]
    password_hash: Mapped[str | None]
    password_changed_at: Mapped[datetime | None]
    first_name: Mapped[str]
    last_name: Mapped[str]
    phone: Mapped[bytes | None]
    phone_index: Mapped[bytes | None]
    birth_date: Mapped[bytes | None]
    avatar: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    language: Mapped[str | None]
    currency: Mapped[str | None]
    timezone: Mapped[str | None]
    preferences: Mapped[dict[str, Any]] = mapped_column(JSONB)
    settings: Mapped[dict[str, Any]] = mapped_column(JSONB)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    signed_in_at: Mapped[datetime | None]
    erased_at: Mapped[datetime | None]


class MailTokenRow(Base):
    """A link that was mailed. Works once, for one purpose, for a while."""

    __tablename__ = "mail_token"
    __table_args__ = (
        CheckConstraint(f"purpose IN {PURPOSES}", name="purpose"),
        Index(None, "person_id", "purpose"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    sealed: Mapped[bytes | None]
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class PersonSessionRow(Base):
    """One sign-in on one device: a browser's cookie, or a program's family of refresh tokens.

    `expires_at` slides with use (idle); `ends_at` does not. `proved` are the ways in which the person proved who they
    are (`password`, `totp`, `recovery-code`, `passkey`, `oidc:<provider>`), `proved_at` is when they last did.
    """

    __tablename__ = "person_session"
    __table_args__ = (
        CheckConstraint("kind IN ('browser', 'app')", name="kind"),
        Index(None, "person_id"),
        Index(None, "expires_at"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str]
    token_digest: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    proved: Mapped[list[str]] = mapped_column(ARRAY(Text))
    proved_at: Mapped[datetime]
    device: Mapped[str]
    place: Mapped[str]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    ends_at: Mapped[datetime]


class RefreshTokenRow(Base):
    """One of a family of refresh tokens. A used one that comes again ends the family."""

    __tablename__ = "refresh_token"
    __table_args__ = (Index(None, "session_id"), Index(None, "expires_at"))

    token_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    session_id: Mapped[UUID] = mapped_column(ForeignKey("person_session.id", ondelete="CASCADE"))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SignInChallengeRow(Base):
    """A sign-in half done: the first proof is given, the second is asked for; or what a passkey is to sign."""

    __tablename__ = "sign_in_challenge"
    __table_args__ = (Index(None, "expires_at"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    token_digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    person_id: Mapped[UUID | None] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    data: Mapped[dict[str, Any]] = mapped_column(JSONB)
    tries: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class SigningKeyRow(Base):
    """A key that signs access tokens (Ed25519). The newest signs; older ones verify until they are retired."""

    __tablename__ = "signing_key"

    kid: Mapped[str] = mapped_column(primary_key=True)
    private_key: Mapped[bytes]
    created_at: Mapped[datetime]
    retires_at: Mapped[datetime | None]


class IdentityRow(Base):
    """A person as an OpenID provider knows them."""

    __tablename__ = "identity"
    __table_args__ = (Index(None, "person_id"),)

    issuer: Mapped[str] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    provider: Mapped[str]
    email: Mapped[bytes]
    created_at: Mapped[datetime]
    used_at: Mapped[datetime]


class FactorRow(Base):
    """Another proof of who somebody is: an authenticator app's secret, or a passkey. Counts once it is confirmed."""

    __tablename__ = "factor"
    __table_args__ = (CheckConstraint("kind IN ('totp', 'passkey')", name="kind"), Index(None, "person_id"))

    id: Mapped[UUID] = mapped_column(primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    kind: Mapped[str]
    name: Mapped[str]
    secret: Mapped[bytes | None]
    last_step: Mapped[int | None] = mapped_column(BigInteger)
    credential_id: Mapped[bytes | None] = mapped_column(LargeBinary, unique=True)
    public_key: Mapped[bytes | None]
    sign_count: Mapped[int | None] = mapped_column(BigInteger)
    transports: Mapped[list[str]] = mapped_column(ARRAY(Text))
    created_at: Mapped[datetime]
    confirmed_at: Mapped[datetime | None]
    used_at: Mapped[datetime | None]


class RecoveryCodeRow(Base):
    """One of the codes that replace a lost authenticator, each once. The digest is keyed."""

    __tablename__ = "recovery_code"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"), primary_key=True)
    code_digest: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    created_at: Mapped[datetime]
    used_at: Mapped[datetime | None]


class AttemptRow(Base):
    """Wrong passwords and codes for one account, whether it exists or not: `key` is a keyed digest of its name."""

    __tablename__ = "attempt"
    __table_args__ = (Index(None, "ends_at"),)

    key: Mapped[bytes] = mapped_column(LargeBinary, primary_key=True)
    failures: Mapped[int]
    ends_at: Mapped[datetime]


class ConsentRow(Base):
    """What somebody agreed to or no longer agrees to, when, and in which words. Never changed; the newest counts."""

    __tablename__ = "consent"
    __table_args__ = (Index(None, "person_id", "purpose", "id"),)

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id", ondelete="CASCADE"))
    purpose: Mapped[str]
    is_given: Mapped[bool]
    wording: Mapped[str]
    source: Mapped[str]
    at: Mapped[datetime]


class PersonalAuditRow(Base):
    """Who saw or changed whose personal data. Never changed, and kept when the person is erased.

    `subject` names a person or a booking (`person:<id>`, `booking:<id>`), `fields` which kinds of data.
    """

    __tablename__ = "personal_audit"
    __table_args__ = (Index(None, "subject", "at"), Index(None, "actor", "at"), Index(None, "at"))

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    actor: Mapped[str]
    operator_id: Mapped[UUID | None]
    subject: Mapped[str]
    action: Mapped[str]
    fields: Mapped[list[str]] = mapped_column(ARRAY(Text))
    facts: Mapped[dict[str, Any]] = mapped_column(JSONB)
