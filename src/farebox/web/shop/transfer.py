"""The page of a bank transfer: where the money goes. It needs no scripts, and can be printed."""

from uuid import UUID
from zoneinfo import ZoneInfo

from litestar import Controller, get
from litestar.response import Template
from markupsafe import Markup

from farebox.accounts import Actor
from farebox.core.db import UnitOfWork
from farebox.payments import get_transfer
from farebox.web.pages import AnyRequest, page
from farebox.web.views.transfer import TransferView
from farebox.wiring import Services


class TransferController(Controller):
    """Under the booking's address, where a mailed code for it opens it too; and where the API says that it is."""

    opt = {"access": "booking"}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get(["/bookings/{booking_id:uuid}/transfer/{payment_id:uuid}", "/pay/bank/{payment_id:uuid}"])
    async def show(
        self, request: AnyRequest, work: UnitOfWork, actor: Actor, services: Services, payment_id: UUID
    ) -> Template:
        transfer = await get_transfer(work, payment_id, actor=actor, providers=services.providers)
        until, zone = transfer.expires_at, ZoneInfo(transfer.timezone)
        view = TransferView(
            reference=transfer.reference,
            slip=transfer.slip,
            qr=Markup(transfer.slip.qr_svg) if transfer.slip else Markup(),  # noqa: S704  (drawn by us from squares)
            expires_at=until.astimezone(zone) if until else None,
            booking_url=f"/bookings/{transfer.booking_id}/return",
        )
        return page(request, "checkout/transfer.html", view, is_private=True)
