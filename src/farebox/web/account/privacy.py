"""Somebody's data: what they agreed to, who looked at it, taking it along, erasing the account."""

from typing import Annotated, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.datastructures import Cookie
from litestar.di import Provide
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Stream, Template

from farebox.accounts import (
    PURPOSES,
    WORDING,
    Access,
    Actor,
    email_key,
    list_accesses,
    list_consents,
    list_operators,
    read_unsubscribe_token,
    say_consent,
)
from farebox.bookings import list_references
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.edge.access import SESSION_COOKIE
from farebox.edge.dependencies import provide_actor_alone
from farebox.notifications import Office
from farebox.privacy import NotErasable, erase, export_person, find_obstacles, stream_archive, subjects_of
from farebox.web.account.entering import gone
from farebox.web.account.person import person_of
from farebox.web.account.showing import account_page, me
from farebox.web.account.zones import zone_of_reader
from farebox.web.me import ME_COOKIE
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.privacy import AccessRow, ConsentRow, EraseView, PrivacyView, UnsubscribeView
from farebox.wiring import Services

PRIVACY: Final = "/account/privacy"
GOODBYE: Final = "/goodbye"
GOODBYE_COOKIE: Final = "farebox_goodbye"
GOODBYE_SECONDS: Final = 300
SHOWN: Final = 10
SHOWN_ALL: Final = 200
LONGEST: Final = 254

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PrivacyController(Controller):
    path = PRIVACY
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012

    @get()
    async def privacy(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        shows_all = "all" in request.query_params
        async with services.database.begin(reach="*") as work:
            person = await me(work, actor, services)
            zone = zone_of_reader(request, person, services.settings)
            consents = await list_consents(work, person.id)
            found, total = await list_accesses(
                work, await subjects_of(work, actor), limit=SHOWN_ALL if shows_all else SHOWN
            )
            view = PrivacyView(
                consents=tuple(ConsentRow(each.purpose, _(WORDING[each.purpose]), each.is_given) for each in consents),
                accesses=await _access_rows(work, found, actor, zone.zone),
                zone_told=zone.told(work.now) if found else "",
                older_url="" if shows_all or total <= len(found) else f"{PRIVACY}?all=1#accesses",
                said="saved" if "saved" in request.query_params else "",
                passenger_days=services.settings.keep_passenger_days,
                years=services.settings.keep_bookings_years,
            )
        return account_page(request, "account/privacy.html", view, person=person, services=services)

    @post("/consents")
    async def save(self, actor: Actor, services: Services, data: Form) -> Redirect:
        async with services.database.begin() as work:
            for purpose in PURPOSES:
                await say_consent(work, person_of(actor), purpose, is_given=bool(data.get(purpose)), source="account")
        return see_other(f"{PRIVACY}?saved=1")

    @get("/export.zip", opt={"step_up": True, "rate": "write", "uncompressed": True})
    async def export(self, actor: Actor, services: Services) -> Stream:
        """All of it, made as it is sent. Nothing is kept here that somebody else could find."""
        async with services.database.begin(reach="*") as work:
            document = await export_person(work, actor, secrets=services.secrets)
        headers = {
            "Content-Disposition": f'attachment; filename="farebox-{work.now:%Y-%m-%d}.zip"',
            "Cache-Control": "private, no-store",
        }
        archive = stream_archive(services.database, actor, document, secrets=services.secrets)
        return Stream(archive, media_type="application/zip", headers=headers)

    @get("/erase", opt={"step_up": True})
    async def ask(self, request: AnyRequest, actor: Actor, services: Services) -> Template:
        return await _ask(request, actor, services)

    @post("/erase", opt={"step_up": True})
    async def erase(self, request: AnyRequest, actor: Actor, services: Services, data: Form) -> Template | Redirect:
        """Only after the address was typed: nobody does that by a slip of the hand."""
        office = Office(jobs=services.jobs, settings=services.settings, secrets=services.secrets)
        try:
            async with services.database.begin(reach="*") as work:
                person = await me(work, actor, services)
                if email_key(data.get("email", "")[:LONGEST]) != email_key(person.email):
                    return await _ask(request, actor, services, _("This is not the address of your account."))
                await erase(work, person.id, actor=actor, jobs=services.jobs, office=office, secrets=services.secrets)
        except NotErasable:
            return await _ask(request, actor, services)
        told = Cookie(
            key=GOODBYE_COOKIE, value="1", path=GOODBYE, max_age=GOODBYE_SECONDS, httponly=True, samesite="lax"
        )
        return see_other(GOODBYE, [gone(SESSION_COOKIE), gone(ME_COOKIE), told])


@get(GOODBYE, opt={"access": "public"}, include_in_schema=False, sync_to_thread=False)
def goodbye(request: AnyRequest) -> Template | Redirect:
    """For whoever has just erased their account. A link to it must frighten nobody else."""
    if GOODBYE_COOKIE not in request.cookies:
        return see_other("/")
    return page(request, "account/privacy_goodbye.html", is_private=True)


class UnsubscribeController(Controller):
    """The link in mails that need consent. Works without signing in, and can do nothing else."""

    path = "/unsubscribe/{token:str}"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def ask(self, request: AnyRequest, services: Services, token: str) -> Template:
        """Ends nothing yet: programs that look into mails follow links too, and push no buttons."""
        return _unsubscribe(request, services, token, is_done=False)

    @post(opt={"exclude_from_csrf": True}, status_code=200)
    async def end(self, request: AnyRequest, work: UnitOfWork, services: Services, token: str) -> Template:
        """Also what mail programs send by themselves when their reader asks for it (RFC 8058), without a cookie."""
        found = read_unsubscribe_token(token, secrets=services.secrets)
        if found is not None:
            await say_consent(work, *found, is_given=False, source="unsubscribe-link")
        return _unsubscribe(request, services, token, is_done=True)


def _unsubscribe(request: AnyRequest, services: Services, token: str, *, is_done: bool) -> Template:
    found = read_unsubscribe_token(token, secrets=services.secrets)
    wording = _(WORDING[found[1]]) if found else ""
    view = UnsubscribeView(f"/unsubscribe/{token}", wording, is_done=is_done)
    headers = {"Referrer-Policy": "no-referrer"}
    status = 200 if found else 404
    return page(request, "account/privacy_unsubscribe.html", view, status=status, is_private=True, headers=headers)


async def _ask(request: AnyRequest, actor: Actor, services: Services, error: str = "") -> Template:
    async with services.database.begin(reach="*") as work:
        person = await me(work, actor, services)
        obstacles = await find_obstacles(work, person.id)
    view = EraseView(
        email=person.email,
        obstacles=tuple(_obstacle(reason) for reason in obstacles.reasons),
        references=obstacles.references,
        years=services.settings.keep_bookings_years,
        error=error,
    )
    status = 422 if error else 200
    return account_page(request, "account/privacy_erase.html", view, person=person, services=services, status=status)


def _obstacle(reason: str) -> str:
    return {
        "upcoming": _("A trip of yours is still ahead. Travel first, or cancel it."),
        "unpaid": _("A booking waits for its payment. Pay or cancel it, or wait until it runs out."),
        "money-owed": _("Money is on its way back to you. Wait until it has arrived."),
        "wallet": _("There is money in your wallet, or on its way out of it. Spend it, or take it out first."),
        "last-admin": _("Nobody else could look after an operator. Make somebody else its administrator first."),
    }[reason]


async def _access_rows(work: UnitOfWork, accesses: list[Access], actor: Actor, zone: ZoneInfo) -> tuple[AccessRow, ...]:
    operators = await list_operators(work, {each.operator_id for each in accesses if each.operator_id})
    names = {operator.id: operator.name for operator in operators.values()}
    references = await list_references(work, actor.owner)
    return tuple(
        AccessRow(each.at.astimezone(zone), _who(each, actor, names), _what(each, references)) for each in accesses
    )


def _who(access: Access, actor: Actor, operators: dict[UUID, str]) -> str:
    if access.actor == actor.owner:
        return _("You")
    kind = access.actor.partition(":")[0]
    operator = operators.get(access.operator_id) if access.operator_id else None
    if operator:
        words = _("Somebody at {operator}") if kind == "user" else _("A program of {operator}")
        return words.format(operator=operator)
    return _("This site, by itself") if kind == "system" else _("An administrator of this site")


def _what(access: Access, references: dict[UUID, str]) -> str:
    kind, _colon, subject = access.subject.partition(":")
    if kind == "booking":
        words = _("Saw booking {reference} in a list") if access.action == "list" else _("Opened booking {reference}")
        return words.format(reference=references.get(UUID(subject), ""))
    return {
        "changed": _("Changed the account: {fields}").format(fields=", ".join(_field(each) for each in access.fields)),
        "exported": _("Took along all data"),
        "read": _("Opened the account"),
    }.get(access.action, access.action)


def _field(name: str) -> str:
    return {
        "email": _("E-mail"),
        "phone": _("Phone"),
        "first_name": _("First name"),
        "last_name": _("Last name"),
        "birth_date": _("Date of birth"),
        "language": _("Language"),
        "currency": _("Currency"),
        "timezone": _("Time zone"),
    }.get(name, name)
