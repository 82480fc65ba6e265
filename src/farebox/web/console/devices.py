"""Devices: those there are, pairing one, and the end of one."""

from uuid import UUID

from litestar import Controller, get, post
from litestar.response import Redirect, Template
from markupsafe import Markup

from farebox import accounts
from farebox.accounts import Actor, Device, DeviceNotFound, Permission, TooManyOfThem
from farebox.core.db import UnitOfWork
from farebox.core.i18n import gettext as _
from farebox.core.settings import Settings
from farebox.ticketing import qr_svg
from farebox.web.console.office import LONGEST_NAME, Form, office_of
from farebox.web.pages import AnyRequest, page, see_other
from farebox.web.views.console import AskView, DevicesView, NewDeviceView, Office, PairingView


class DevicesController(Controller):
    path = "/console/{operator_id:uuid}/devices"
    opt = {"access": "staff", "permission": Permission.DEVICES_MANAGE}  # noqa: RUF012  (Litestar's own form)
    include_in_schema = False

    @get()
    async def devices(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        devices = await accounts.list_devices(work, operator_id, actor=actor)
        done = _("The device was revoked. It opens nothing any more.") if "revoked" in request.query_params else ""
        view = DevicesView(office, tuple(devices), work.now, done)
        return page(request, "console/devices.html", view, is_private=True)

    @get("/new", opt={"step_up": True})
    async def ask(self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        return page(request, "console/new_device.html", NewDeviceView(office), is_private=True)

    @post("/new", opt={"step_up": True})
    async def make(
        self, request: AnyRequest, operator_id: UUID, work: UnitOfWork, actor: Actor, settings: Settings, data: Form
    ) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        name = data.get("name", "").strip()[:LONGEST_NAME]
        errors = {} if name else {"name": _("Give it a name by which you will know it again.")}
        if not errors:
            try:
                device, code = await accounts.make_device(work, operator_id, name=name, actor=actor)
                return _pairing(request, office, device, code, settings)
            except TooManyOfThem as refused:
                errors["name"] = refused.text()
        view = NewDeviceView(office, name, errors)
        return page(request, "console/new_device.html", view, status=422, is_private=True)

    @get("/{device_id:uuid}/code", opt={"step_up": True})
    async def ask_for_code(
        self, request: AnyRequest, operator_id: UUID, device_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        device = await _find(work, operator_id, device_id, actor)
        view = AskView(
            office,
            _("Pair “{name}” anew?").format(name=device.name),
            _("A new code is shown. What was paired before as this device works no more."),
            f"{office.path}/devices/{device_id}/code",
            _("Show a new code"),
        )
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{device_id:uuid}/code", opt={"step_up": True})
    async def show_code(
        self,
        request: AnyRequest,
        operator_id: UUID,
        device_id: UUID,
        work: UnitOfWork,
        actor: Actor,
        settings: Settings,
    ) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        device, code = await accounts.show_new_code(work, operator_id, device_id, actor=actor)
        return _pairing(request, office, device, code, settings)

    @get("/{device_id:uuid}/revoke")
    async def ask_to_revoke(
        self, request: AnyRequest, operator_id: UUID, device_id: UUID, work: UnitOfWork, actor: Actor
    ) -> Template:
        office = await office_of(work, operator_id, "devices", actor=actor)
        device = await _find(work, operator_id, device_id, actor)
        view = AskView(
            office,
            _("Revoke the device “{name}”?").format(name=device.name),
            _("It can check no more tickets from now on. This cannot be undone; pair it again as a new device."),
            f"{office.path}/devices/{device_id}/revoke",
            _("Revoke the device"),
        )
        return page(request, "console/ask.html", view, is_private=True)

    @post("/{device_id:uuid}/revoke")
    async def revoke(self, operator_id: UUID, device_id: UUID, work: UnitOfWork, actor: Actor) -> Redirect:
        """A lost phone must not wait for anything, so this asks for no fresh proof."""
        await accounts.revoke_device(work, operator_id, device_id, actor=actor)
        return see_other(f"/console/{operator_id}/devices?revoked=1")


async def _find(work: UnitOfWork, operator_id: UUID, device_id: UUID, actor: Actor) -> Device:
    devices = await accounts.list_devices(work, operator_id, actor=actor)
    found = next((device for device in devices if device.id == device_id and device.revoked_at is None), None)
    if found is None:
        raise DeviceNotFound
    return found


def _pairing(request: AnyRequest, office: Office, device: Device, code: str, settings: Settings) -> Template:
    """The code as a picture too: behind the `#`, which no server and no log ever sees."""
    address = f"{settings.base_url.rstrip('/')}/pair#code={code}"
    view = PairingView(office, device, code, Markup(qr_svg(address)))  # noqa: S704  (an SVG of ours)
    return page(request, "console/pairing.html", view, is_private=True)
