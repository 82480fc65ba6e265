"""API keys of an operator."""

from datetime import datetime, timedelta
from typing import Annotated, Self
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import accounts
from farebox.accounts import (
    LONGEST_LIFE,
    Actor,
    KeyNotFound,
    Permission,
    RoleNotGrantable,
    TooManyOfThem,
)
from farebox.api.problems import problems
from farebox.api.staff import CHANGED, GUARDED, Done
from farebox.api.wire import PRIVATE, Request, Wire
from farebox.core.db import UnitOfWork


class NewKey(Request):
    name: Annotated[str, Meta(examples=["Timetable screens"], min_length=1, max_length=100)]
    scopes: Annotated[list[Permission], Meta(min_length=1, max_length=len(Permission))]
    days: Annotated[int, Meta(ge=1, le=LONGEST_LIFE.days, description="How long it works.")] = 90


class KeyView(Wire):
    """A key. `hint` is how it begins; the rest is told once, to who makes it."""

    key_id: UUID
    name: str
    hint: Annotated[str, Meta(examples=["fbk_Z0rJ6x"])]
    scopes: list[Permission]
    created_at: datetime
    expires_at: datetime
    used_at: Annotated[datetime | None, Meta(description="When it was last used, to the minute.")]
    revoked_at: datetime | None

    @classmethod
    def of(cls, key: accounts.ApiKey) -> Self:
        return cls(
            key_id=key.id,
            name=key.name,
            hint=key.hint,
            scopes=list(key.scopes),
            created_at=key.created_at,
            expires_at=key.expires_at,
            used_at=key.used_at,
            revoked_at=key.revoked_at,
        )


class MadeKey(Wire):
    """Send the key as `Authorization: Bearer …`."""

    key: Annotated[str, Meta(examples=["fbk_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"])]
    details: KeyView


class Keys(Wire):
    items: list[KeyView]


class KeysController(Controller):
    """API keys: what programs show instead of a sign-in. Each is for one operator, and for what it was given."""

    path = "/operators/{operator_id:uuid}/keys"
    tags = ("API keys",)
    opt = {"access": "staff", "permission": Permission.KEYS_MANAGE}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/", summary="List API keys", operation_id="listKeys", responses=problems(*GUARDED))
    async def keys(self, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Keys:
        """Those that ran out or were revoked too."""
        return Keys(items=[KeyView.of(key) for key in await accounts.list_keys(work, operator_id, actor=actor)])

    @post(
        "/",
        summary="Make an API key",
        operation_id="makeKey",
        opt={"step_up": True},
        response_description="The key, which is told this once.",
        responses=problems(*CHANGED, RoleNotGrantable, TooManyOfThem),
    )
    async def make(self, operator_id: UUID, data: NewKey, work: UnitOfWork, actor: Actor) -> MadeKey:
        """For some of what you may do yourself; a year at most."""
        key, token = await accounts.make_key(
            work, operator_id, name=data.name, scopes=data.scopes, lasts=timedelta(days=data.days), actor=actor
        )
        return MadeKey(key=token, details=KeyView.of(key))

    @delete(
        "/{key_id:uuid}",
        summary="Revoke an API key",
        operation_id="revokeKey",
        status_code=HTTP_200_OK,
        opt={"step_up": True},
        responses=problems(*CHANGED, KeyNotFound),
    )
    async def revoke(self, operator_id: UUID, key_id: UUID, work: UnitOfWork, actor: Actor) -> Done:
        """It opens nothing from now on."""
        await accounts.revoke_key(work, operator_id, key_id, actor=actor)
        return Done()
