"""Who somebody is: names, phone, birth date, picture."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from litestar import Controller, get, post
from litestar.datastructures import UploadFile
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import (
    LARGEST_BYTES,
    OLDEST_YEARS,
    Actor,
    BadPicture,
    Person,
    ProfileChange,
    get_person,
    update_profile,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_
from farebox.core.i18n import gettext as _
from farebox.web.account.person import person_of
from farebox.web.account.showing import account_page, me, problems_of, said_in
from farebox.web.me import cookies_of, me_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.finding import parse_day
from farebox.web.views.account import NoticeWord, ProfileView
from farebox.web.views.checkout import Problem
from farebox.wiring import Services

PATH = "/account/profile"
LONGEST = 200
LARGEST_SENT = 3 * LARGEST_BYTES
"""Of a form with a picture. What is larger than a picture may be is told so, as long as it is not larger than this."""

ANCHORS = {"firstName": "first_name", "lastName": "last_name", "phoneNumber": "phone", "dateOfBirth": "birth_date"}

UNREADABLE_DAY = N_("Enter the day as year, month and day, such as 1990-12-31.")

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


@dataclass
class PictureForm:
    """`picture`: the file that was chosen; without one, browsers send an empty one."""

    picture: UploadFile | None = None
    remove: str = ""


class ProfileController(Controller):
    path = PATH
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def profile(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await me(work, actor, services)
        view = _view(person, work, said=said_in(request))
        return account_page(request, "account/profile.html", view, person=person, services=services)

    @post()
    async def change(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        typed = {name: data.get(name, "")[:LONGEST] for name in ANCHORS.values()}
        born = parse_day(typed["birth_date"].strip())
        change = ProfileChange(
            first_name=typed["first_name"], last_name=typed["last_name"], phone=typed["phone"], birth_date=born
        )
        region = services.settings.phone_region
        try:
            if typed["birth_date"].strip() and born is None:
                raise Invalid([FieldError("dateOfBirth", "invalid-day", UNREADABLE_DAY)])
            await update_profile(work, person_of(actor), change, region=region, secrets=services.secrets)
        except Invalid as error:
            person = await me(work, actor, services)
            by_name, problems = problems_of(error.errors, ANCHORS)
            view = _view(person, work, typed=typed, errors=by_name, problems=problems)
            return account_page(request, "account/profile.html", view, person=person, services=services, status=422)
        person = await me(work, actor, services)
        return see_other(f"{PATH}?said=saved", cookies_of(person, services.settings))

    @post("/picture", request_max_body_size=LARGEST_SENT)
    async def change_picture(
        self,
        request: AnyRequest,
        actor: Actor,
        services: Services,
        data: Annotated[PictureForm, Body(media_type=RequestEncodingType.MULTI_PART)],
    ) -> Template | Redirect:
        person_id = person_of(actor)
        try:
            if data.remove:
                await services.avatars.take_away(person_id)
            else:
                content = await data.picture.read() if data.picture else b""
                if not content:
                    return await self._refused(request, actor, services, _("Choose a picture first."))
                await services.avatars.change(person_id, content)
        except BadPicture as error:
            return await self._refused(request, actor, services, error.text())
        async with services.database.begin() as work:
            person = await get_person(work, person_id, secrets=services.secrets)
        said = "no-picture" if data.remove else "picture"
        return see_other(f"{PATH}?said={said}", cookies_of(person, services.settings))

    async def _refused(self, request: AnyRequest, actor: Actor, services: Services, reason: str) -> Template:
        async with services.database.begin() as work:
            person = await me(work, actor, services)
            view = _view(person, work, errors={"picture": reason}, problems=(Problem("picture", reason),))
        return page(request, "account/profile.html", view, status=422, is_private=True)


def _view(
    person: Person,
    work: UnitOfWork,
    *,
    typed: dict[str, str] | None = None,
    errors: dict[str, str] | None = None,
    problems: tuple[Problem, ...] = (),
    said: NoticeWord = "",
) -> ProfileView:
    today = work.now.date()
    kept = {
        "first_name": person.first_name,
        "last_name": person.last_name,
        "phone": person.phone,
        "birth_date": person.birth_date.isoformat() if person.birth_date else "",
    }
    return ProfileView(
        email=person.email,
        is_verified=person.is_verified,
        me=me_of(person),
        first_day=date(today.year - OLDEST_YEARS, 1, 1).isoformat(),
        last_day=today.isoformat(),
        errors=errors or {},
        problems=problems,
        said=said,
        **(kept if typed is None else typed),
    )
