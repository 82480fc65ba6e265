"""How somebody signs in, and where they are signed in."""

from contextlib import suppress
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, PersonSession, SessionNotFound, end_session, end_sessions, list_sessions
from farebox.core.db import UnitOfWork
from farebox.web.account.factors import factors_part
from farebox.web.account.person import SECURITY, person_of, session_of
from farebox.web.account.showing import account_page, in_words, me, said_in
from farebox.web.account.zones import zone_of_reader
from farebox.web.days import day_in_words
from farebox.web.pages import AnyRequest, see_other
from farebox.web.views.account import SecurityView, SessionRow
from farebox.wiring import Services


class SecurityController(Controller):
    path = SECURITY
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def show(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await me(work, actor, services)
        zone = zone_of_reader(request, person, services.settings)
        sessions = await list_sessions(work, person.id)
        view = SecurityView(
            email=person.email,
            is_verified=person.is_verified,
            has_password=person.has_password,
            sessions=tuple(_row(session, zone.zone, actor, work) for session in sessions),
            zone_told=zone.told(work.now),
            factors=await factors_part(
                work, actor, oidc=services.oidc, settings=services.settings, secrets=services.secrets
            ),
            said=said_in(request),
        )
        return account_page(request, "account/security.html", view, person=person, services=services)

    @post("/sessions/{session_id:uuid}/end")
    async def end(self, work: UnitOfWork, actor: Actor, session_id: UUID) -> Redirect:
        """One that has ended meanwhile is what was asked for."""
        with suppress(SessionNotFound):
            await end_session(work, person_of(actor), session_id)
        return see_other(f"{SECURITY}?said=ended")

    @post("/sessions/end-others")
    async def end_others(self, work: UnitOfWork, actor: Actor) -> Redirect:
        await end_sessions(work, person_of(actor), but=session_of(actor))
        return see_other(f"{SECURITY}?said=ended-all")


def _row(session: PersonSession, zone: ZoneInfo, actor: Actor, work: UnitOfWork) -> SessionRow:
    return SessionRow(
        id=str(session.id),
        device=session.device,
        place=session.place,
        is_app=session.kind == "app",
        is_this=session.id == actor.session_id,
        last_used=in_words(session.used_at - work.now),
        last_used_at=session.used_at,
        since=day_in_words(session.created_at.astimezone(zone), "date"),
    )
