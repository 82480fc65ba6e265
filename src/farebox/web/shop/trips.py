"""A trip's own page: all calls, fares and conditions."""

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.params import Parameter, QueryParameter
from litestar.response import Template

from farebox.accounts import get_operator
from farebox.core.db import UnitOfWork
from farebox.core.i18n import format_money, format_time
from farebox.core.i18n import gettext as _
from farebox.core.money import Money
from farebox.search import TripDetail, get_trip
from farebox.web.days import day_in_words
from farebox.web.labels import PASSENGER_TYPES, seat_type_label
from farebox.web.pages import AnyRequest, page
from farebox.web.shop.cards import call_rows, card_of_detail
from farebox.web.shop.finding import parse_id
from farebox.web.shop.stretches import Stretch, read_carried
from farebox.web.views.trips import FareRow, TripView

FromId = Annotated[UUID | None, QueryParameter(name="from")]
ToId = Annotated[UUID | None, QueryParameter(name="to")]
Travellers = Annotated[int, Parameter(ge=1, le=60)]


class TripsController(Controller):
    """One departure, between two of its stops."""

    path = "/trips"

    @get("/{trip_id:uuid}", opt={"access": "public"}, include_in_schema=False)
    async def trip(
        self,
        request: AnyRequest,
        work: UnitOfWork,
        trip_id: UUID,
        from_id: FromId = None,
        to_id: ToId = None,
        travellers: Travellers = 1,
    ) -> Template:
        trip = await get_trip(work, trip_id, from_id, to_id)
        operator = await get_operator(work, trip.offer.operator.id)
        card = card_of_detail(trip, operator)
        carried = read_carried(request.query_params)
        stretch = Stretch(trip_id, parse_id(card.from_id), parse_id(card.to_id), travellers, **carried)
        view = TripView(
            card=card,
            day=card.board.time.date(),
            calls=call_rows(trip),
            fare_columns=tuple(seat_type_label(kind) for kind in trip.offer.seat_types),
            fares=_fares(trip),
            policy=_policy(trip),
            seats_url=stretch.url("seats") if trip.is_on_sale and card.seats_available else "",
            back_url=stretch.search_url(card.board, card.alight),
        )
        return page(request, "shop/trip.html", view)


def _fares(trip: TripDetail) -> tuple[FareRow, ...]:
    prices: dict[tuple[str, str], Money] = {(each.passenger_type, each.seat_type): each.price for each in trip.fares}
    if not prices:
        return ()
    return tuple(
        FareRow(_(label), tuple(prices.get((code, kind)) for kind in trip.offer.seat_types))
        for code, label in PASSENGER_TYPES.items()
    )


def _policy(trip: TripDetail) -> tuple[str, ...]:
    """The facts of the sale in sentences."""
    terms = trip.terms
    closes = terms.sales_close_at.astimezone(trip.board.departure.tzinfo)
    lines = [
        _("Sales end on {day} at {time}.").format(day=day_in_words(closes, "brief"), time=format_time(closes)),
        _("Until you have paid, you can cancel free of charge."),
    ]
    if terms.tax_rate_bp:
        lines.append(_("Prices include {percent}% tax.").format(percent=f"{terms.tax_rate_bp / 100:g}"))
    if terms.service_fee:
        fee = format_money(terms.service_fee)
        lines.append(_("A service fee of {amount} is added once for each trip, however many seats.").format(amount=fee))
    for conditions in terms.conditions:
        types = ", ".join(seat_type_label(each) for each in conditions.seat_types)
        are_several = len(terms.conditions) > 1
        lines += [f"{types}: {sentence}" if are_several else sentence for sentence in conditions.sentences]
    return tuple(lines)
