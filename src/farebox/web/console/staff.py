"""Staff: who works here, invitations that wait, and whether a second factor is asked for."""

from typing import cast
from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox import accounts
from farebox.accounts import (
    STAFF_ROLES,
    Actor,
    AlreadyStaff,
    InvitedTooOften,
    LastOperatorAdmin,
    MemberNotFound,
    Permission,
    RoleNotGrantable,
    StaffRole,
    TooManyOfThem,
    has_second_proof,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import DomainError, Invalid
from farebox.core.i18n import current_language
from farebox.core.i18n import gettext as _
from farebox.web.console.office import LONGEST, Form, office_of, role_choices
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import InviteView, MemberView, StaffView
from farebox.wiring import Services


class StaffController(Controller):
    """What matters is asked for on pages of its own, so that a fresh proof is asked for before anything is typed."""

    path = "/console/{operator_id:uuid}/staff"
    opt = {"access": "staff", "permission": Permission.STAFF_MANAGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def members(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, services: Services
    ) -> Template:
        office = await office_of(work, operator_id, "staff", actor=actor)
        secrets = services.secrets
        view = StaffView(
            office,
            actor.id,
            tuple(await accounts.list_members(work, operator_id, actor=actor, secrets=secrets)),
            tuple(await accounts.list_invitations(work, operator_id, actor=actor, secrets=secrets)),
            await accounts.requires_second_factor(work, operator_id, actor=actor),
            has_second_proof(actor),
            _done(request.query_params.get("done", "")),
        )
        return page(request, "console/staff.html", view, is_private=True)

    @get("/invite", opt={"step_up": True})
    async def ask_whom(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "staff", actor=actor)
        return page(request, "console/invite.html", InviteView(office, role_choices()), is_private=True)

    @post("/invite", opt={"step_up": True})
    async def invite(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        office = await office_of(work, operator_id, "staff", actor=actor)
        email, role = data.get("email", "")[:LONGEST], data.get("role", "")
        errors = {} if role in STAFF_ROLES else {"role": _("Choose one.")}
        if not errors:
            try:
                await accounts.invite(
                    work,
                    operator_id,
                    email,
                    cast(StaffRole, role),
                    actor=actor,
                    secrets=services.secrets,
                    language=current_language(),
                )
            except Invalid as invalid:
                errors = {error.field: error.text() for error in invalid.errors}
            except (AlreadyStaff, InvitedTooOften, TooManyOfThem, RoleNotGrantable) as refused:
                errors = {"email": refused.text()}
        if errors:
            view = InviteView(office, role_choices(), email, role, errors)
            return page(request, "console/invite.html", view, status=422, is_private=True)
        return see_other(f"{office.path}/staff?done=invited")

    @post("/invitations/{invitation_id:uuid}/resend")
    async def resend(
        self, operator_id: UUID, invitation_id: UUID, work: UnitOfWork, actor: Actor, services: Services
    ) -> Redirect:
        await accounts.resend_invitation(work, operator_id, invitation_id, actor=actor, secrets=services.secrets)
        return see_other(f"/console/{operator_id}/staff?done=resent")

    @post("/invitations/{invitation_id:uuid}/revoke")
    async def revoke(self, operator_id: UUID, invitation_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        await accounts.revoke_invitation(work, operator_id, invitation_id, actor=actor)
        return see_other(f"/console/{operator_id}/staff?done=taken-back")

    @post("/policy", opt={"step_up": True})
    async def set_policy(self, operator_id: UUID, work: UnitOfWork, actor: Actor, data: Form) -> Redirect:
        is_required = data.get("requires_second_factor") == "yes"
        await accounts.require_second_factor(work, operator_id, is_required=is_required, actor=actor)
        return see_other(f"/console/{operator_id}/staff?done=policy")

    @get("/{person_id:uuid}", opt={"step_up": True})
    async def member(
        self,
        request: AnyRequest,
        operator_id: UUID,
        person_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> Template:
        view = await _member(work, operator_id, person_id, actor, services)
        return page(request, "console/member.html", view, is_private=True)

    @post("/{person_id:uuid}", opt={"step_up": True})
    async def change(
        self,
        request: AnyRequest,
        operator_id: UUID,
        person_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        services: Services,
        data: Form,
    ) -> Template | Redirect:
        """Another role, or none any more."""
        view = await _member(work, operator_id, person_id, actor, services)
        role = data.get("role", "")
        try:
            if role == "none":
                await accounts.remove_member(work, operator_id, person_id, actor=actor)
            elif role in STAFF_ROLES:
                await accounts.change_role(work, operator_id, person_id, cast(StaffRole, role), actor=actor)
        except (LastOperatorAdmin, RoleNotGrantable) as refused:
            return _refused(request, view, refused)
        if role == "none" and view.is_me:
            return see_other("/console")
        return see_other(f"/console/{operator_id}/staff?done={'removed' if role == 'none' else 'changed'}")


async def _member(work: UnitOfWork, operator_id: UUID, person_id: UUID, actor: Actor, services: Services) -> MemberView:
    """Raises `MemberNotFound`."""
    office = await office_of(work, operator_id, "staff", actor=actor)
    members = await accounts.list_members(work, operator_id, actor=actor, secrets=services.secrets)
    found = next((member for member in members if member.person_id == person_id), None)
    if found is None:
        raise MemberNotFound
    return MemberView(office, found, role_choices(), is_me=person_id == actor.id)


def _refused(request: AnyRequest, view: MemberView, error: DomainError) -> Template:
    again = MemberView(view.office, view.member, view.roles, view.is_me, error.text())
    return page(request, "console/member.html", again, status=409, is_private=True)


def _done(what: str) -> str:
    return {
        "invited": _("The invitation is on its way. Its link works for seven days."),
        "resent": _("A new link is on its way. The earlier one works no more."),
        "taken-back": _("The invitation was taken back. Its link works no more."),
        "changed": _("The role was changed. It holds from now on."),
        "removed": _("They no longer work here. Whatever they are signed in with opens nothing of this operator's."),
        "policy": _("It holds from now on."),
    }.get(what, "")
