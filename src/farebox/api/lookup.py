"""A booking found again without a sign-in: reference, contact, and a code that is mailed."""

from contextlib import suppress
from typing import Annotated, Any, Literal

from litestar import Controller, Response, get, post
from litestar import Request as HTTPRequest
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK, HTTP_202_ACCEPTED
from msgspec import Meta

from farebox import bookings
from farebox.accounts import Actor
from farebox.api.booking_wire import REFERENCE, BookingView
from farebox.api.problems import answer_domain_error, problems
from farebox.api.whole_bookings import whole_booking
from farebox.api.wire import PRIVATE, Request, Wire
from farebox.bookings import BookingNotFound, LookupFailed, ReferenceMistyped
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid
from farebox.wiring import Services


class LookupRequest(Request):
    """A booking's reference, and its e-mail address or phone number."""

    reference: Annotated[str, Meta(examples=[REFERENCE], max_length=100)]
    contact: Annotated[str, Meta(examples=["an@example.com"], max_length=1000)]


class LookupVerification(LookupRequest):
    code: Annotated[str, Meta(examples=["123456"], max_length=100)]


class LookupSent(Wire):
    """Alike for a hit and a miss."""

    verification: Literal["sent"] = "sent"


class LookupOpened(Wire):
    """The booking, and a token that reaches it and nothing else."""

    booking: BookingView
    guest_token: str


class LookupController(Controller):
    """Your booking without a sign-in: reference, contact, and a code that is mailed to the contact."""

    path = "/bookings/guest"
    tags = ("Bookings",)
    opt = {"access": "public", "rate": "lookup"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @post(
        "/lookup",
        summary="Ask for a code",
        operation_id="requestLookup",
        status_code=HTTP_202_ACCEPTED,
    )
    async def request(self, data: LookupRequest, work: UnitOfWork, services: Services) -> LookupSent:
        """If there is such a booking, a six-digit code goes to its e-mail address; it works for ten minutes.

        The answer is the same where there is none, and for a reference that no booking can have.
        """
        with suppress(Invalid):
            await bookings.request_lookup(
                work, data.reference, data.contact, settings=services.settings, secrets=services.secrets
            )
        return LookupSent()

    @post(
        "/verify",
        summary="Open a booking with its code",
        operation_id="verifyLookup",
        status_code=HTTP_200_OK,
        responses=problems(LookupFailed),
    )
    async def verify(
        self, request: HTTPRequest[Any, Any, Any], data: LookupVerification, work: UnitOfWork, services: Services
    ) -> Response[LookupOpened] | Response[dict[str, Any]]:
        """A code can be tried five times."""
        verified = await bookings.verify_lookup(
            work, data.reference, data.contact, data.code, settings=services.settings, secrets=services.secrets
        )
        if verified is None:
            return answer_domain_error(request, LookupFailed())  # not raised, so that the try stays counted
        view = await whole_booking(work, verified.booking, services)
        return Response(LookupOpened(booking=view, guest_token=verified.token))

    @get(
        "/lookup",
        summary="Get the booking that your code opened",
        operation_id="getLookedUpBooking",
        opt={"access": "booking"},
        responses=problems(BookingNotFound, ReferenceMistyped),
    )
    async def show(
        self,
        reference: Annotated[str, Parameter(max_length=100, description="The booking's reference.")],
        work: UnitOfWork,
        actor: Actor,
        services: Services,
    ) -> BookingView:
        found = await bookings.get_booking_by_reference(work, reference, actor=actor)
        return await whole_booking(work, found, services)
