"""What signing in looks like on the wire."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from msgspec import Meta

from farebox.accounts import Person
from farebox.api.wire import Request, Wire

Email = Annotated[str, Meta(examples=["an@example.com"], max_length=1000)]
Password = Annotated[str, Meta(examples=["green coach over the bridge"], max_length=1000)]
MailToken = Annotated[str, Meta(examples=["fbl_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"], max_length=200)]
RefreshToken = Annotated[str, Meta(examples=["fbr_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"], max_length=200)]
ClientKind = Annotated[
    Literal["browser", "app"],
    Meta(description="`browser`: the refresh token goes into a cookie that scripts cannot read; `app`: into the body."),
]


class RegisterRequest(Request):
    """Whom to make an account for. Only address and password are needed."""

    email: Email
    password: Annotated[Password, Meta(description="8 to 128 characters, of any kind.")]
    first_name: Annotated[str, Meta(examples=["An"], max_length=1000)] = ""
    last_name: Annotated[str, Meta(examples=["Nguyễn"], max_length=1000)] = ""
    phone: Annotated[str, Meta(examples=["+84912345678"], max_length=100)] = ""


class LoginRequest(Request):
    email: Email
    password: Password
    client: ClientKind = "browser"


class SecondFactorRequest(Request):
    """What the first step answered, and a code of the authenticator app or a recovery code."""

    challenge_token: Annotated[str, Meta(examples=["fbc_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"], max_length=200)]
    code: Annotated[str, Meta(examples=["123456"], max_length=200)]
    client: ClientKind = "browser"


class RefreshRequest(Request):
    """For apps, which keep their refresh token themselves; a browser's cookie comes by itself."""

    refresh_token: RefreshToken | None = None


class EmailRequest(Request):
    email: Email


class TokenRequest(Request):
    """What a mailed link has behind `token=`."""

    token: MailToken


class ResetPasswordRequest(Request):
    token: MailToken
    new_password: Password


class ChangePasswordRequest(Request):
    current_password: Password
    new_password: Password


class ChangeEmailRequest(Request):
    new_email: Email
    current_password: Password


class MailSent(Wire):
    """Alike whether there is such an account or not: what is true arrives by mail only."""

    mail: Literal["sent"] = "sent"


class Verified(Wire):
    verified: Literal[True] = True


class SignedOut(Wire):
    signed_out: Literal[True] = True


class EmailChangeView(Wire):
    """`half`: the other link must be used too."""

    state: Literal["half", "changed"]


class StaffRoleView(Wire):
    operator_id: UUID
    role: Annotated[str, Meta(examples=["agent"])]


class UserView(Wire):
    """Somebody with an account, for themselves."""

    id: UUID
    email: Annotated[str, Meta(examples=["an@example.com"])]
    email_verified: bool
    first_name: str
    last_name: str
    phone: Annotated[str, Meta(examples=["+84912345678"], description="E.164, or empty.")]
    roles: Annotated[list[str], Meta(examples=[["user"]])]
    operators: list[StaffRoleView]
    language: str | None
    currency: str | None
    timezone: str | None
    has_password: bool
    created_at: datetime

    @classmethod
    def of(cls, person: Person, staff_roles: dict[UUID, str]) -> Self:
        return cls(
            id=person.id,
            email=person.email,
            email_verified=person.is_verified,
            first_name=person.first_name,
            last_name=person.last_name,
            phone=person.phone,
            roles=sorted(person.roles),
            operators=[StaffRoleView(operator_id=operator, role=role) for operator, role in staff_roles.items()],
            language=person.language,
            currency=person.currency,
            timezone=person.timezone,
            has_password=person.has_password,
            created_at=person.created_at,
        )


class TokensView(Wire):
    """Send the access token as `Authorization: Bearer …`. When it has run out, refresh."""

    access_token: Annotated[str, Meta(examples=["eyJhbGciOiJFZERTQSIsImtpZCI6Ii4uLiJ9.eyJzdWIiOiIuLi4ifQ.c2ln"])]
    expires_in: Annotated[int, Meta(examples=[900], description="Seconds.")]
    refresh_token: Annotated[str | None, Meta(description="For apps only; it works once.")]
    user: UserView
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (no secret)


class JsonWebKey(Wire):
    """A public key (RFC 7517, RFC 8037)."""

    kty: Annotated[str, Meta(examples=["OKP"])]
    crv: Annotated[str, Meta(examples=["Ed25519"])]
    use: Annotated[str, Meta(examples=["sig"])]
    alg: Annotated[str, Meta(examples=["EdDSA"])]
    kid: str
    x: str


class JsonWebKeys(Wire):
    keys: list[JsonWebKey]
