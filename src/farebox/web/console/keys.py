"""API keys: those there are, a new one, and the end of one."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import (
    KEY_SCOPES,
    LONGEST_LIFE,
    PERMISSION_NAMES,
    Actor,
    KeyNotFound,
    Permission,
    RoleNotGrantable,
    TooManyOfThem,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.web.console.office import LONGEST_NAME, Form, office_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import AskView, Choice, KeysView, MadeKeyView, NewKeyView, Office

LIVES: Final = ("7", "30", "90", "180", str(LONGEST_LIFE.days))
"""Days from which the form lets choose."""


class KeysController(Controller):
    path = "/console/{operator_id:uuid}/keys"
    opt = {"access": "staff", "permission": Permission.KEYS_MANAGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def keys(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "keys", actor=actor)
        keys = await accounts.list_keys(work, operator_id, actor=actor)
        done = _("The key was revoked. It opens nothing any more.") if "revoked" in request.query_params else ""
        return page(request, "console/keys.html", KeysView(office, tuple(keys), work.now, done), is_private=True)

    @get("/new", opt={"step_up": True})
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "keys", actor=actor)
        return page(request, "console/new_key.html", NewKeyView(office, _scopes(actor, office)), is_private=True)

    @post("/new", opt={"step_up": True})
    async def make(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form
    ) -> Template:
        """The page that shows the key: this once."""
        office = await office_of(work, operator_id, "keys", actor=actor)
        name, days = data.get("name", "").strip()[:LONGEST_NAME], data.get("days", "")
        chosen = frozenset(scope for scope in KEY_SCOPES if data.get(f"scope-{scope}") == "yes")
        errors = {}
        if not name:
            errors["name"] = _("Give it a name by which you will know it again.")
        if not chosen:
            errors["scopes"] = _("Choose at least one.")
        if days not in LIVES:
            errors["days"] = _("Choose one.")
        if not errors:
            try:
                key, token = await accounts.make_key(
                    work, operator_id, name=name, scopes=chosen, lasts=timedelta(days=int(days)), actor=actor
                )
                return page(request, "console/made_key.html", MadeKeyView(office, key, token), is_private=True)
            except (RoleNotGrantable, TooManyOfThem) as refused:
                errors["scopes"] = refused.text()
        view = NewKeyView(office, _scopes(actor, office), name, frozenset(map(str, chosen)), days, errors)
        return page(request, "console/new_key.html", view, status=422, is_private=True)

    @get("/{key_id:uuid}/revoke", opt={"step_up": True})
    async def ask_to_revoke(
        self, request: AnyRequest, operator_id: UUID, key_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "keys", actor=actor)
        keys = await accounts.list_keys(work, operator_id, actor=actor)
        key = next((key for key in keys if key.id == key_id), None)
        if key is None:
            raise KeyNotFound
        view = AskView(
            office,
            _("Revoke the key “{name}”?").format(name=key.name),
            _("Every program that uses it stops working at once. This cannot be undone; make a new key instead."),
            f"{office.path}/keys/{key_id}/revoke",
            _("Revoke the key"),
        )
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{key_id:uuid}/revoke", opt={"step_up": True})
    async def revoke(self, operator_id: UUID, key_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        await accounts.revoke_key(work, operator_id, key_id, actor=actor)
        return see_other(f"/console/{operator_id}/keys?revoked=1")


def _scopes(actor: Actor, office: Office) -> tuple[Choice, ...]:
    """What this actor can give to a key, in the table's order."""
    own = actor.permissions_for(office.operator.id) & KEY_SCOPES
    return tuple(
        Choice(permission, _(PERMISSION_NAMES[permission]), permission)
        for permission in Permission
        if permission in own
    )
