"""An operator's fares: what its staff reads and sets."""

from uuid import UUID

from litestar import Controller, get, put

from farebox import pricing
from farebox.accounts import Actor, Permission
from farebox.api.fares_wire import FareDocument
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.staff import GUARDED
from farebox.api.wire import PRIVATE
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid


class FaresController(Controller):
    """What an operator sells under: fares, what makes them dearer or cheaper, and the terms of sale."""

    path = "/operators/{operator_id:uuid}/fares"
    tags = ("Fares",)
    opt = {"access": "staff", "permission": Permission.FARES_CHANGE}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/", summary="Get the fares", operation_id="getFares", responses=problems(*GUARDED))
    async def show(self, operator_id: UUID, work: UnitOfWork, actor: Actor) -> FareDocument:
        """All but what the operator's feeds say."""
        return FareDocument.of(await pricing.get_fare_book(work, operator_id, actor=actor))

    @put(
        "/",
        summary="Set the fares",
        operation_id="setFares",
        responses=problems(*GUARDED, *IDEMPOTENT, Invalid),
    )
    async def set(self, operator_id: UUID, data: FareDocument, work: UnitOfWork, actor: Actor) -> FareDocument:
        """All of them: what is left out is dropped. They hold from the next quote on; bookings keep their prices."""
        await pricing.set_fare_book(work, operator_id, data.book(), actor=actor)
        return FareDocument.of(await pricing.get_fare_book(work, operator_id, actor=actor))
