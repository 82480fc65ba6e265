"""Devices that check tickets for an operator."""

from datetime import datetime
from typing import Annotated, Self
from uuid import UUID

from litestar import Controller, delete, get, post
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox import accounts
from farebox.accounts import Actor, DeviceNotFound, PairingFailed, Permission, TooManyOfThem
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.staff import CHANGED, GUARDED, Done
from farebox.api.wire import PRIVATE, Request, Wire
from farebox.core.db import UnitOfWork

CODE = "7KQM-2XHD-R9VW-4TBN"


class NewDevice(Request):
    name: Annotated[str, Meta(examples=["Scanner, platform 3"], min_length=1, max_length=100)]


class Pairing(Request):
    code: Annotated[str, Meta(examples=[CODE], max_length=100, description="However it is typed.")]
    name: Annotated[str, Meta(examples=["Pixel 9 of Bình"], max_length=100, description="Becomes the device's.")] = ""


class DeviceView(Wire):
    device_id: UUID
    name: str
    created_at: datetime
    pairing_expires_at: Annotated[datetime | None, Meta(description="Until when the code works that was shown last.")]
    paired_at: datetime | None
    used_at: Annotated[datetime | None, Meta(description="When it was last used, to the minute.")]
    revoked_at: datetime | None

    @classmethod
    def of(cls, device: accounts.Device) -> Self:
        return cls(
            device_id=device.id,
            name=device.name,
            created_at=device.created_at,
            pairing_expires_at=device.pairing_expires_at,
            paired_at=device.paired_at,
            used_at=device.used_at,
            revoked_at=device.revoked_at,
        )


class Devices(Wire):
    items: list[DeviceView]


class CodedDevice(Wire):
    """A device, and the code that makes some phone into it: once, for ten minutes."""

    code: Annotated[str, Meta(examples=[CODE])]
    device: DeviceView


class PairedView(Wire):
    """Send the token as `Authorization: Bearer …`."""

    device_token: Annotated[str, Meta(examples=["fbd_Z0rJ6xgW1c2tq3vTQb8m4nYh5kLp7sDfA9uEiRoXyNw"])]
    device: DeviceView
    operator_id: UUID
    operator_name: str


class DevicesController(Controller):
    """Drivers' phones and scanners of an operator. They check tickets, and can do nothing else."""

    path = "/operators/{operator_id:uuid}/devices"
    tags = ("Devices",)
    opt = {"access": "staff", "permission": Permission.DEVICES_MANAGE}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/", summary="List devices", operation_id="listDevices", responses=problems(*GUARDED))
    async def devices(self, operator_id: UUID, work: UnitOfWork, actor: Actor) -> Devices:
        """Revoked ones too."""
        found = await accounts.list_devices(work, operator_id, actor=actor)
        return Devices(items=[DeviceView.of(device) for device in found])

    @post(
        "/",
        summary="Enter a device",
        operation_id="makeDevice",
        opt={"step_up": True},
        responses=problems(*CHANGED, TooManyOfThem),
    )
    async def make(self, operator_id: UUID, data: NewDevice, work: UnitOfWork, actor: Actor) -> CodedDevice:
        """It waits for its code, which works once, for ten minutes."""
        device, code = await accounts.make_device(work, operator_id, name=data.name, actor=actor)
        return CodedDevice(code=code, device=DeviceView.of(device))

    @post(
        "/{device_id:uuid}/code",
        summary="Get another code for a device",
        operation_id="showDeviceCode",
        opt={"step_up": True},
        responses=problems(*CHANGED, DeviceNotFound),
    )
    async def code(self, operator_id: UUID, device_id: UUID, work: UnitOfWork, actor: Actor) -> CodedDevice:
        """What it was paired with before works no more."""
        device, code = await accounts.show_new_code(work, operator_id, device_id, actor=actor)
        return CodedDevice(code=code, device=DeviceView.of(device))

    @delete(
        "/{device_id:uuid}",
        summary="Revoke a device",
        operation_id="revokeDevice",
        status_code=HTTP_200_OK,
        responses=problems(*GUARDED, DeviceNotFound, *IDEMPOTENT),
    )
    async def revoke(self, operator_id: UUID, device_id: UUID, work: UnitOfWork, actor: Actor) -> Done:
        """It opens nothing from now on. A lost phone must not wait for anything, so this asks for no fresh proof."""
        await accounts.revoke_device(work, operator_id, device_id, actor=actor)
        return Done()


class PairingController(Controller):
    """Pairing, for devices."""

    path = "/devices"
    tags = ("Devices",)
    opt = {"access": "public", "rate": "sign-in"}  # noqa: RUF012
    response_headers = PRIVATE

    @post(
        "/pair",
        summary="Pair a device",
        operation_id="pairDevice",
        status_code=HTTP_200_OK,
        response_description="The device's token, which is told this once.",
        responses=problems(PairingFailed),
    )
    async def pair(self, data: Pairing, work: UnitOfWork) -> PairedView:
        """Exchange the code that the office shows for a token."""
        paired = await accounts.pair_device(work, data.code, data.name.strip())
        return PairedView(
            device_token=paired.token,
            device=DeviceView.of(paired.device),
            operator_id=paired.operator.id,
            operator_name=paired.operator.name,
        )
