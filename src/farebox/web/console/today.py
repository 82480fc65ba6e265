"""What an operator's console begins with: today's departures, what was taken, what waits for somebody, a search."""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get, post
from litestar.response import Redirect, Template

from farebox.accounts import Actor, Permission
from farebox.bookings import (
    Booking,
    BookingNotFound,
    ReferenceMistyped,
    count_confirmed_bookings,
    get_sold_booking,
    list_bookings_of_contact,
)
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.inventory import Taken, count_taken
from farebox.payments import Takings, count_waiting, sum_up_takings
from farebox.timetable import (
    DepartureSummary,
    list_cancelled_runs,
    list_departures_leaving,
    list_departures_of_runs,
    sum_up_departures,
)
from farebox.web.console.money_words import BOOKING_STATES, trip_in_words
from farebox.web.console.office import LONGEST, Form, office_of
from farebox.web.console.till import booking_url
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import Office
from farebox.web.views.today import DepartureRow, Departures, FoundRow, FoundView, Listed, Sales, Sums, Task, TodayView
from farebox.wiring import Services

NOT_FOUND: Final = 404
WEEK: Final = 7
MOST_FOUND: Final = 20
MOST_LISTED: Final = 200
"""So many departures stand in a list at most."""

_PHONE: Final = re.compile(r"\+?[\d\s().-]{6,}")


class TodayController(Controller):
    path = "/console/{operator_id:uuid}"
    opt = {"access": "staff", "permission": Permission.DEPARTURES_READ}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def today(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "today", actor=actor)
        zone = ZoneInfo(office.operator.timezone)
        day = work.now.astimezone(zone).date()
        first_day = day - timedelta(days=WEEK - 1)
        since = (datetime.combine(day, time(), zone), datetime.combine(first_day, time(), zone))
        view = TodayView(
            office=office,
            day=day,
            first_day=first_day,
            departures=await _departures(work, office, since[0]),
            sales=await _sales(work, office, since, actor),
            tasks=await _tasks(work, office, actor),
            can_search="till" in office.sections,
        )
        return page(request, "console/today.html", view, is_private=True)

    @post("/find", opt={"permission": Permission.BOOKINGS_SELL})
    async def find(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, services: Services, data: Form
    ) -> Template | Redirect:
        """To a booking by its reference, or to those of an e-mail address or phone number. Sent as a form, so that
        neither is in a log."""
        office = await office_of(work, operator_id, "till", actor=actor)
        typed = data.get("wanted", "").strip()[:LONGEST]
        try:
            found, has_more = await _find(work, office, typed, actor, services)
        except (ReferenceMistyped, BookingNotFound) as refused:
            error = (
                refused.text() if isinstance(refused, ReferenceMistyped) else _("No booking of this operator has it.")
            )
            view = FoundView(office, typed, (), error)
            return page(request, "console/found.html", view, status=NOT_FOUND, is_private=True)
        if len(found) == 1 and not has_more:
            return see_other(booking_url(office, found[0].id))
        view = FoundView(office, typed, tuple(_found(each, office) for each in found), has_more=has_more)
        return page(request, "console/found.html", view, is_private=True)


async def _find(
    work: UnitOfWork, office: Office, typed: str, actor: Actor, services: Services
) -> tuple[Sequence[Booking], bool]:
    """The newest, and whether there are more. Raises: ReferenceMistyped, BookingNotFound: there is none."""
    operator_id = office.operator.id
    if "@" not in typed and not _PHONE.fullmatch(typed):
        return [await get_sold_booking(work, operator_id, typed, actor=actor)], False
    found, has_more = await list_bookings_of_contact(
        work,
        operator_id,
        typed,
        actor=actor,
        settings=services.settings,
        secrets=services.secrets,
        limit=MOST_FOUND,
    )
    if not found:
        raise BookingNotFound
    return found, has_more


async def _departures(work: UnitOfWork, office: Office, midnight: datetime) -> Departures:
    operator_id = office.operator.id
    next_midnight = datetime.combine(midnight.date() + timedelta(days=1), time(), midnight.tzinfo)
    totals = await sum_up_departures(work, operator_id, midnight, next_midnight)
    left = await list_departures_leaving(work, operator_id, midnight, work.now, limit=MOST_LISTED, is_latest=True)
    ahead = await list_departures_leaving(work, operator_id, work.now, next_midnight, limit=MOST_LISTED)
    off = await list_cancelled_runs(work, operator_id, midnight)
    listed = [each.inventory_id for each in (*left, *ahead)]
    taken = await count_taken(work, [*totals.inventory_ids, *off, *listed])
    with_travellers = [run for run in off if taken[run].sold]
    cancelled = await list_departures_of_runs(work, with_travellers[:MOST_LISTED])
    return Departures(
        ahead=_listed(ahead, taken, totals.ahead),
        left=_listed(left, taken, totals.left),
        cancelled=_listed(cancelled, taken, len(with_travellers)),
        running=totals.running,
        seats=totals.units,
        sold=sum(taken[run].sold for run in totals.inventory_ids),
    )


def _listed(departures: Sequence[DepartureSummary], taken: Mapping[int, Taken], count: int) -> Listed:
    return Listed(tuple(_departure(each, taken[each.inventory_id]) for each in departures), count)


def _departure(each: DepartureSummary, taken: Taken) -> DepartureRow:
    return DepartureRow(
        departs_at=each.departs_at,
        arrives_at=each.arrives_at,
        origin=each.first_stop,
        destination=each.last_stop,
        line=each.line_name,
        vehicle=each.vehicle_name,
        seats=each.units,
        sold=taken.sold,
        held=taken.held,
        is_cancelled=each.status == "cancelled",
    )


async def _sales(work: UnitOfWork, office: Office, since: tuple[datetime, datetime], actor: Actor) -> tuple[Sales, ...]:
    """Of today, and of the last seven days with it."""
    operator = office.operator
    if not actor.may(Permission.REPORTS_READ, operator.id):
        return ()
    today, week = await count_confirmed_bookings(work, operator.id, since, actor=actor)
    takings = await sum_up_takings(work, operator.id, since, actor=actor)
    of_today, of_week = (tuple(_sums(pair[which]) for pair in takings) for which in (0, 1))
    return Sales("today", today, of_today), Sales("week", week, of_week)


def _sums(takings: Takings) -> Sums:
    return Sums(takings.sold, takings.changed, takings.left)


async def _tasks(work: UnitOfWork, office: Office, actor: Actor) -> tuple[Task, ...] | None:
    if "till" not in office.sections:
        return None
    waiting = await count_waiting(work, office.operator.id, actor=actor)
    till = f"{office.path}/till"
    tasks = (
        Task(_("Refunds to be paid out by hand"), waiting.hand_refunds, f"{till}#refunds"),
        Task(_("Disputes"), waiting.disputes, f"{till}#disputes"),
        Task(_("Payments that need a look"), waiting.stuck_payments, f"{till}#look"),
        Task(_("Transfers expected"), waiting.transfers, f"{till}#transfers"),
    )
    return tuple(task for task in tasks if task.count)


def _found(booking: Booking, office: Office) -> FoundRow:
    state, tone = BOOKING_STATES[booking.status]
    origin = booking.items[0].description.origin
    return FoundRow(
        booking_url=booking_url(office, booking.id),
        reference=booking.reference,
        trip=trip_in_words(booking),
        starts_at=origin.time.astimezone(ZoneInfo(origin.timezone)),
        state=_(state),
        tone=tone,
        total=booking.total,
    )
