"""Find my booking: reference and contact, then the code from the mail."""

from typing import Annotated

from litestar import Controller, get, post
from litestar.enums import RequestEncodingType
from litestar.params import Body
from litestar.response import Redirect, Template

from farebox.bookings import request_lookup, verify_lookup
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.core.i18n import gettext as _
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.shop.session import booking_cookie
from farebox.web.views.booking import CodeView, FindView
from farebox.wiring import Services

CODE_MINUTES = 10
LONGEST = 254

Form = Annotated[dict[str, str], Body(media_type=RequestEncodingType.URL_ENCODED)]


class LookupController(Controller):
    """Answers alike whether there is such a booking or not: what is true arrives by mail only."""

    path = "/find"
    opt = {"access": "public"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(sync_to_thread=False)
    def find(self, request: AnyRequest) -> Template:
        return page(request, "booking/find.html", FindView(reference=request.query_params.get("reference", "")[:30]))

    @post(opt={"rate": "lookup"})
    async def ask(self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form) -> Template:
        reference, contact = data.get("reference", "")[:LONGEST].strip(), data.get("contact", "")[:LONGEST].strip()
        errors = {}
        if not reference:
            errors["reference"] = _("Enter the reference of the booking.")
        if not contact:
            errors["contact"] = _("Enter the e-mail address or phone number of the booking.")
        if errors:
            return page(request, "booking/find.html", FindView(reference, contact, errors), status=422, is_private=True)
        try:
            await request_lookup(work, reference, contact, settings=services.settings, secrets=services.secrets)
        except Invalid as invalid:
            view = FindView(reference, contact, {error.field: error.text() for error in invalid.errors})
            return page(request, "booking/find.html", view, status=422, is_private=True)
        return page(request, "booking/code.html", CodeView(reference, contact, CODE_MINUTES), is_private=True)

    @get("/code", sync_to_thread=False)
    def start_again(self) -> Redirect:
        """The step without what came before it."""
        return see_other("/find")

    @post("/code", opt={"rate": "lookup"})
    async def verify(
        self, request: AnyRequest, work: UnitOfWork, services: Services, data: Form
    ) -> Template | Redirect:
        """A right code opens the booking's page, and that only."""
        reference, contact = data.get("reference", "")[:LONGEST], data.get("contact", "")[:LONGEST]
        verified = await verify_lookup(
            work,
            reference,
            contact,
            data.get("code", "")[:LONGEST],
            settings=services.settings,
            secrets=services.secrets,
        )
        if verified is None:
            wrong = {"code": _("This code is not right, or its time is over. Check it, or ask for a new one.")}
            view = CodeView(reference, contact, CODE_MINUTES, wrong)
            return page(request, "booking/code.html", view, status=422, is_private=True)
        booking_id = verified.booking.id
        return see_other(f"/bookings/{booking_id}", [booking_cookie(booking_id, verified.token, services.settings)])
