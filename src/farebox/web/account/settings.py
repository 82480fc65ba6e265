"""Which news reach somebody on which way, what is allowed, and language, currency and time zone."""

from collections.abc import Mapping
from itertools import groupby
from typing import Annotated

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import (
    ALWAYS,
    CHANNELS,
    KINDS,
    PRIVACY,
    Actor,
    PersonalSettings,
    SettingsChange,
    get_personal_settings,
    list_timezones,
    update_personal_settings,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import LANGUAGES
from farebox.core.i18n import gettext as _
from farebox.edge.middleware import LANGUAGE_COOKIE
from farebox.web.account.entering import gone
from farebox.web.account.person import person_of
from farebox.web.account.showing import account_page, me, problems_of, said_in
from farebox.web.labels import CHANNEL_LABELS, NOTICE_LABELS, PRIVACY_LABELS
from farebox.web.me import cookies_of
from farebox.web.money_typed import currency_options
from farebox.web.pages import AnyRequest, see_other
from farebox.web.views.account import NoticeRow, NoticeWord, SettingsView
from farebox.web.views.checkout import Problem
from farebox.web.views.trips import Option
from farebox.wiring import Services

PATH = "/account/settings"
LONGEST = 64
ON = "1"

ANCHORS = {"language": "language", "currency": "currency", "timezone": "timezone"}

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class SettingsController(Controller):
    path = PATH
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def settings(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await me(work, actor, services)
        view = _view(await get_personal_settings(work, person.id), said=said_in(request))
        return account_page(request, "account/settings.html", view, person=person, services=services)

    @post()
    async def change(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        """The whole form: a box that is not ticked is not sent, and means no."""
        person_id = person_of(actor)
        try:
            await update_personal_settings(work, person_id, _change(data))
        except Invalid as error:
            person = await me(work, actor, services)
            _by_name, problems = problems_of(error.errors, ANCHORS)
            view = _view(await get_personal_settings(work, person_id), problems=problems)
            return account_page(request, "account/settings.html", view, person=person, services=services, status=422)
        person = await me(work, actor, services)
        speak = cookies_of(person, services.settings)
        if not person.language:
            speak.append(gone(LANGUAGE_COOKIE))
        return see_other(f"{PATH}?said=saved", speak)


def _change(form: Mapping[str, str]) -> SettingsChange:
    return SettingsChange(
        notifications={
            kind: {
                channel: channel in ALWAYS.get(kind, ()) or form.get(f"{kind}.{channel}") == ON for channel in CHANNELS
            }
            for kind in KINDS
        },
        privacy={choice: form.get(choice) == ON for choice in PRIVACY},
        language=form.get("language", "")[:LONGEST],
        currency=form.get("currency", "")[:LONGEST],
        timezone=form.get("timezone", "")[:LONGEST],
    )


def _view(settings: PersonalSettings, *, problems: tuple[Problem, ...] = (), said: NoticeWord = "") -> SettingsView:
    return SettingsView(
        notices=tuple(
            NoticeRow(
                kind,
                _(NOTICE_LABELS[kind][0]),
                _(NOTICE_LABELS[kind][1]),
                tuple(
                    (
                        channel,
                        _(CHANNEL_LABELS[channel]),
                        settings.allows(kind, channel),
                        channel in ALWAYS.get(kind, ()),
                    )
                    for channel in CHANNELS
                ),
            )
            for kind in KINDS
        ),
        channels=tuple(Option(channel, _(CHANNEL_LABELS[channel])) for channel in CHANNELS),
        privacy=tuple(
            Option(choice, _(PRIVACY_LABELS[choice][0]), settings.privacy[choice], detail=_(PRIVACY_LABELS[choice][1]))
            for choice in PRIVACY
        ),
        languages=tuple(Option(code, name) for code, name in LANGUAGES.items()),
        currencies=currency_options(),
        zones=_zones(),
        language=settings.language or "",
        currency=settings.currency or "",
        timezone=settings.timezone or "",
        problems=problems,
        said=said,
    )


def _zones() -> tuple[tuple[str, tuple[Option, ...]], ...]:
    """Time zones by part of the world, each place by its name."""
    return tuple(
        (part, tuple(Option(name, name.partition("/")[2].replace("_", " ").replace("/", ", ")) for name in names))
        for part, names in groupby(list_timezones(), key=lambda name: name.partition("/")[0])
    )
