"""What somebody likes when they travel."""

from collections.abc import Mapping, Sequence
from typing import Annotated, get_args
from uuid import UUID

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.accounts import (
    DIETS,
    INTERESTS,
    Actor,
    Preferences,
    PreferencesChange,
    TravelStyle,
    get_preferences,
    update_preferences,
)
from farebox.core.db import UnitOfWork
from farebox.core.errors import FieldError, Invalid
from farebox.core.i18n import N_, current_language
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.search import suggest_places
from farebox.timetable import list_places
from farebox.web.account.person import person_of
from farebox.web.account.showing import account_page, me, problems_of, said_in
from farebox.web.labels import DIET_LABELS, INTEREST_LABELS, TRAVEL_STYLES
from farebox.web.money_typed import amount_typed, currency_options, plain_amount
from farebox.web.pages import AnyRequest, see_other
from farebox.web.shop.finding import parse_id
from farebox.web.views.account import PreferencesView
from farebox.web.views.trips import Option
from farebox.wiring import Services

PATH = "/account/preferences"
LONGEST = 200
CHOICES = 5

ANCHORS = {
    "favoriteDestinations": "place",
    "budgetRange": "budget_min",
    "interests": "other_interests",
    "dietaryRestrictions": "other_diets",
}

AnyForm = Annotated[dict[str, list[str]], Body(media_type=RequestEncodingType.URL_ENCODED)]


class PreferencesController(Controller):
    path = PATH
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def preferences(self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services) -> Template:
        person = await me(work, actor, services)
        kept = await get_preferences(work, person.id)
        view = await _view(work, _as_typed(kept), person.currency, said=said_in(request))
        return account_page(request, "account/preferences.html", view, person=person, services=services)

    @post()
    async def change(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services
    ) -> Template | Redirect:
        sent = await request.form()
        form = {name: [str(value)[:LONGEST] for value in sent.getall(name)] for name in dict.fromkeys(sent)}
        try:
            places = [place for text in form.get("places", []) if (place := parse_id(text))]
            places += await _place_typed(work, _one(form, "place"), _one(form, "place_id"))
            change = PreferencesChange(
                favorite_destinations=list(dict.fromkeys(places)),
                budget=_budget(form),
                travel_style=_style(_one(form, "style")),
                interests=_words(form, "interests", "other_interests"),
                dietary_restrictions=_words(form, "diets", "other_diets"),
            )
            known = await list_places(work, places)
            await update_preferences(work, person_of(actor), change, places=known)
        except Invalid as error:
            person = await me(work, actor, services)
            by_name, problems = problems_of(error.errors, ANCHORS)
            view = await _view(work, form, person.currency, errors=by_name, problems=problems)
            return account_page(request, "account/preferences.html", view, person=person, services=services, status=422)
        return see_other(f"{PATH}?said=saved")


def _as_typed(kept: Preferences) -> dict[str, list[str]]:
    """What is kept as the form would send it."""
    budget = kept.budget_range
    return {
        "places": [str(place_id) for place_id in kept.favorite_destinations],
        "style": [kept.travel_style or ""],
        "interests": [word for word in kept.interests if word in INTERESTS],
        "other_interests": [", ".join(word for word in kept.interests if word not in INTERESTS)],
        "diets": [word for word in kept.dietary_restrictions if word in DIETS],
        "other_diets": [", ".join(word for word in kept.dietary_restrictions if word not in DIETS)],
        "budget_min": [plain_amount(budget.least)] if budget and budget.least is not None else [],
        "budget_max": [plain_amount(budget.most)] if budget and budget.most is not None else [],
        "budget_currency": [budget.currency] if budget else [],
    }


async def _view(
    work: UnitOfWork, form: Mapping[str, Sequence[str]], currency: str | None, **more: object
) -> PreferencesView:
    ids = [place for text in form.get("places", []) if (place := parse_id(text))]
    places = await list_places(work, ids)
    language = current_language()
    chosen = _one(form, "budget_currency") or currency or ""
    return PreferencesView(
        places=tuple(Option(str(each), places[each].name_in(language), True) for each in ids if each in places),
        place_text=_one(form, "place"),
        styles=tuple(
            Option(code, _(label), code == _one(form, "style"), detail=_(detail))
            for code, (label, detail) in TRAVEL_STYLES.items()
        ),
        interests=_options(INTEREST_LABELS, form.get("interests", [])),
        other_interests=_one(form, "other_interests"),
        diets=_options(DIET_LABELS, form.get("diets", [])),
        other_diets=_one(form, "other_diets"),
        budget_min=_one(form, "budget_min"),
        budget_max=_one(form, "budget_max"),
        budget_currency=chosen,
        currencies=currency_options(),
        **more,  # type: ignore[arg-type]
    )


async def _place_typed(work: UnitOfWork, text: str, given: str) -> list[UUID]:
    """The place to add, if one was named.

    Raises:
        Invalid: no such place, or more than one.
    """
    text = " ".join(text.split())
    if not text:
        return []
    place_id = parse_id(given)
    if place_id is not None:
        return [place_id]
    found = await suggest_places(work, text, limit=CHOICES)
    same = [place for place in found if place.name.casefold() == text.casefold()]
    if len(same) == 1 or len(found) == 1:
        return [(same or found)[0].place_id]
    if not found:
        message = N_("We know no place called {name}. Check the spelling.")
        raise Invalid([FieldError("favoriteDestinations", "unknown-place", message, name=text)])
    names = ", ".join(place.name for place in found)
    message = N_("More than one place is called so: {names}. Write the whole name.")
    raise Invalid([FieldError("favoriteDestinations", "many-places", message, names=names)])


def _budget(form: Mapping[str, Sequence[str]]) -> tuple[Money | None, Money | None]:
    """Raises: Invalid: what was typed is no amount."""
    currency = _one(form, "budget_currency")
    least, most = (amount_typed(_one(form, name), currency, "budgetRange") for name in ("budget_min", "budget_max"))
    return least, most


def _style(typed: str) -> TravelStyle | None:
    return next((style for style in get_args(TravelStyle) if style == typed), None)


def _words(form: Mapping[str, Sequence[str]], ticked: str, typed: str) -> list[str]:
    more = [word.strip() for word in _one(form, typed).split(",")]
    return [*form.get(ticked, []), *filter(None, more)]


def _options(labels: Mapping[str, str], chosen: Sequence[str]) -> tuple[Option, ...]:
    return tuple(Option(code, _(label), code in chosen) for code, label in labels.items())


def _one(form: Mapping[str, Sequence[str]], name: str) -> str:
    return next(iter(form.get(name, [])), "")
