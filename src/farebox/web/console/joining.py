"""An invitation to work for an operator, behind the link in its mail."""

from dataclasses import replace
from urllib.parse import urlencode

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import (
    ROLE_NAMES,
    Actor,
    AlreadyStaff,
    InvitationForAnother,
    accept_invitation,
    get_invitation_offer,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.web.console.office import LONGEST, Form
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import JoinView
from farebox.wiring import Services


class JoinController(Controller):
    path = "/join"
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def show(self, request: AnyRequest, work: UnitOfWork, actor: Actor) -> Template:
        view = await _view(work, actor, request.query_params.get("token", "")[:LONGEST])
        return page(request, "console/join.html", view, is_private=True, headers={"Referrer-Policy": "no-referrer"})

    @post(opt={"access": "user"})
    async def accept(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        token = data.get("token", "")[:LONGEST]
        view = await _view(work, actor, token)
        try:
            await accept_invitation(work, token, actor=actor, secrets=services.secrets)
        except InvitationForAnother as refused:
            again = replace(view, error=refused.text())
            return page(request, "console/join.html", again, status=403, is_private=True)
        except AlreadyStaff:
            pass
        return see_other("/console")


async def _view(work: UnitOfWork, actor: Actor, token: str) -> JoinView:
    """Raises `InvitationOver`."""
    offer = await get_invitation_offer(work, token)
    back = urlencode({"next": f"/join?{urlencode({'token': token})}"})
    return JoinView(
        offer.operator,
        _(ROLE_NAMES[offer.role]),
        token,
        offer.expires_at,
        actor.kind == "user",
        f"/sign-in?{back}",
        f"/register?{back}",
    )
