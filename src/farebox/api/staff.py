"""Who acts for an operator: one's own operators, staff, invitations, and what an operator asks of its staff."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from litestar import Controller, delete, get, patch, post, put
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import accounts
from farebox.accounts import (
    Actor,
    AlreadyStaff,
    InvitationForAnother,
    InvitationNotFound,
    InvitationOver,
    InvitedTooOften,
    LastOperatorAdmin,
    MemberNotFound,
    OperatorNotFound,
    Permission,
    RoleNotGrantable,
    SecondProofRequired,
    StaffRole,
    StepUpRequired,
    TooManyOfThem,
)
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, Request, Wire
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import current_language
from farebox.wiring import Services

OPERATOR_ID = "018f6b2e-0000-7000-8000-00000000a001"
GUARDED = (OperatorNotFound, SecondProofRequired)
CHANGED = (*GUARDED, StepUpRequired, *IDEMPOTENT)


class PostView(Wire):
    """An operator for whom you act."""

    operator_id: Annotated[UUID, Meta(examples=[OPERATOR_ID])]
    name: str
    role: Annotated[str, Meta(description="Yours there; `admin` for admins of the platform.")]
    needs_second_factor: Annotated[bool, Meta(description="Nothing is open until you sign in with one.")]


class Posts(Wire):
    items: list[PostView]


class MemberView(Wire):
    user_id: UUID
    name: str
    email: str
    role: StaffRole
    since: datetime
    has_second_factor: bool

    @classmethod
    def of(cls, member: accounts.Member) -> Self:
        return cls(
            user_id=member.person_id,
            name=member.name,
            email=member.email,
            role=member.role,
            since=member.since,
            has_second_factor=member.has_second_factor,
        )


class Members(Wire):
    items: list[MemberView]


class NewRole(Request):
    role: StaffRole


class NewInvitation(Request):
    email: Annotated[str, Meta(examples=["binh@example.com"], max_length=254)]
    role: StaffRole


class InvitationView(Wire):
    """An invitation that waits. Its link is in the mail and nowhere else."""

    invitation_id: UUID
    email: str
    role: StaffRole
    created_at: datetime
    expires_at: datetime

    @classmethod
    def of(cls, invitation: accounts.Invitation) -> Self:
        return cls(
            invitation_id=invitation.id,
            email=invitation.email,
            role=invitation.role,
            created_at=invitation.created_at,
            expires_at=invitation.expires_at,
        )


class Invitations(Wire):
    items: list[InvitationView]


class Policy(Wire):
    requires_second_factor: bool


class NewPolicy(Request):
    requires_second_factor: bool


class Acceptance(Request):
    token: Annotated[str, Meta(max_length=200, description="From the link in the mail.")]


class Accepted(Wire):
    operator_id: UUID
    name: str


class Done(Wire):
    done: Literal[True] = True


class StaffController(Controller):
    """Staff of an operator."""

    path = "/operators"
    tags = ("Staff",)
    opt = {"access": "staff", "permission": Permission.STAFF_MANAGE}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/", summary="List your operators", operation_id="listOwnOperators", opt={"access": "user"})
    async def posts(self, work: UnitOfWork, actor: Actor) -> Posts:
        """Those for whom you act, and what you are there."""
        return Posts(
            items=[
                PostView(
                    operator_id=each.operator.id,
                    name=each.operator.name,
                    role=each.role,
                    needs_second_factor=each.lacks_proof,
                )
                for each in await accounts.list_posts(work, actor=actor)
            ]
        )

    @get("/{operator_id:uuid}/staff", summary="List staff", operation_id="listStaff", responses=problems(*GUARDED))
    async def members(self, operator_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> Members:
        found = await accounts.list_members(work, operator_id, actor=actor, secrets=services.secrets)
        return Members(items=[MemberView.of(member) for member in found])

    @patch(
        "/{operator_id:uuid}/staff/{user_id:uuid}",
        summary="Change a role",
        operation_id="changeStaffRole",
        opt={"step_up": True},
        responses=problems(*CHANGED, MemberNotFound, RoleNotGrantable, LastOperatorAdmin),
    )
    async def change(self, operator_id: UUID, user_id: UUID, data: NewRole, work: UnitOfWork, actor: Actor) -> Done:
        """It holds from their next request."""
        await accounts.change_role(work, operator_id, user_id, data.role, actor=actor)
        return Done()

    @delete(
        "/{operator_id:uuid}/staff/{user_id:uuid}",
        summary="Remove somebody from the staff",
        operation_id="removeStaff",
        status_code=HTTP_200_OK,
        opt={"step_up": True},
        responses=problems(*CHANGED, MemberNotFound, LastOperatorAdmin),
    )
    async def remove(self, operator_id: UUID, user_id: UUID, work: UnitOfWork, actor: Actor) -> Done:
        """Whatever they are signed in with opens nothing of this operator's from now on."""
        await accounts.remove_member(work, operator_id, user_id, actor=actor)
        return Done()

    @get(
        "/{operator_id:uuid}/invitations",
        summary="List invitations that wait",
        operation_id="listInvitations",
        responses=problems(*GUARDED),
    )
    async def invitations(self, operator_id: UUID, work: UnitOfWork, actor: Actor, services: Services) -> Invitations:
        found = await accounts.list_invitations(work, operator_id, actor=actor, secrets=services.secrets)
        return Invitations(items=[InvitationView.of(invitation) for invitation in found])

    @post(
        "/{operator_id:uuid}/invitations",
        summary="Invite somebody",
        operation_id="inviteStaff",
        opt={"step_up": True},
        responses=problems(*CHANGED, RoleNotGrantable, AlreadyStaff, TooManyOfThem, InvitedTooOften, Invalid),
    )
    async def invite(
        self, operator_id: UUID, data: NewInvitation, work: UnitOfWork, actor: Actor, services: Services
    ) -> InvitationView:
        """A link is mailed that works once, for seven days, for who has proved that the address is theirs."""
        invitation = await accounts.invite(
            work,
            operator_id,
            data.email,
            data.role,
            actor=actor,
            secrets=services.secrets,
            language=current_language(),
        )
        return InvitationView.of(invitation)

    @post(
        "/{operator_id:uuid}/invitations/{invitation_id:uuid}/resend",
        summary="Mail an invitation again",
        operation_id="resendInvitation",
        status_code=HTTP_200_OK,
        responses=problems(*GUARDED, *IDEMPOTENT, InvitationNotFound, InvitedTooOften),
    )
    async def resend(
        self, operator_id: UUID, invitation_id: UUID, work: UnitOfWork, actor: Actor, services: Services
    ) -> InvitationView:
        """With a new link, good for another seven days; the earlier one works no more."""
        invitation = await accounts.resend_invitation(
            work, operator_id, invitation_id, actor=actor, secrets=services.secrets
        )
        return InvitationView.of(invitation)

    @delete(
        "/{operator_id:uuid}/invitations/{invitation_id:uuid}",
        summary="Take an invitation back",
        operation_id="revokeInvitation",
        status_code=HTTP_200_OK,
        responses=problems(*GUARDED, *IDEMPOTENT, InvitationNotFound),
    )
    async def revoke(self, operator_id: UUID, invitation_id: UUID, work: UnitOfWork, actor: Actor) -> Done:
        await accounts.revoke_invitation(work, operator_id, invitation_id, actor=actor)
        return Done()

    @get(
        "/{operator_id:uuid}/policy",
        summary="Get what is asked of the staff",
        operation_id="getStaffPolicy",
        responses=problems(*GUARDED),
    )
    async def policy(self, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Policy:
        return Policy(requires_second_factor=await accounts.requires_second_factor(work, operator_id, actor=actor))

    @put(
        "/{operator_id:uuid}/policy",
        summary="Ask staff for a second factor, or no longer",
        operation_id="setStaffPolicy",
        opt={"step_up": True},
        responses=problems(*CHANGED),
    )
    async def set_policy(self, operator_id: UUID, data: NewPolicy, work: UnitOfWork, actor: Actor) -> Policy:
        """Nothing of the operator's is open to those without one, from their next request on."""
        await accounts.require_second_factor(work, operator_id, is_required=data.requires_second_factor, actor=actor)
        return Policy(requires_second_factor=data.requires_second_factor)


class InvitationsController(Controller):
    """Invitations, for those who were invited."""

    path = "/invitations"
    tags = ("Staff",)
    opt = {"access": "user"}  # noqa: RUF012
    response_headers = PRIVATE

    @post(
        "/accept",
        summary="Accept an invitation",
        operation_id="acceptInvitation",
        status_code=HTTP_200_OK,
        responses=problems(InvitationOver, InvitationForAnother, AlreadyStaff, *IDEMPOTENT),
    )
    async def accept(self, data: Acceptance, work: UnitOfWork, actor: Actor, services: Services) -> Accepted:
        """As who has proved that the invited address is theirs."""
        operator = await accounts.accept_invitation(work, data.token, actor=actor, secrets=services.secrets)
        return Accepted(operator_id=operator.id, name=operator.name)
