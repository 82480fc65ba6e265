"""What somebody with an account reads and changes of themselves."""

from dataclasses import dataclass, field
from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, put
from litestar.openapi.spec import OpenAPIMediaType, Operation, RequestBody, Schema
from litestar.openapi.spec.enums import OpenAPIFormat, OpenAPIType
from litestar.params import Parameter
from litestar.status_codes import HTTP_200_OK

from farebox.accounts import (
    LARGEST_BYTES,
    Actor,
    BadPicture,
    MovingPicture,
    PictureTooLarge,
    SessionNotFound,
    end_session,
    end_sessions,
    get_person,
    get_personal_settings,
    get_preferences,
    list_sessions,
    update_personal_settings,
    update_preferences,
    update_profile,
)
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.users_wire import (
    EndedView,
    PictureView,
    PreferencesRequest,
    PreferencesView,
    ProfileRequest,
    ProfileView,
    SessionsView,
    SessionView,
    SettingsRequest,
    SettingsView,
)
from farebox.api.wire import PRIVATE
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid, Unavailable
from farebox.core.files import FileNotKept
from farebox.timetable import list_places
from farebox.wiring import Services

FOREVER = "private, max-age=31536000, immutable"
"""For browsers only: what is deleted here shall not live on in caches that serve others."""

ALONE = "default-src 'none'; sandbox"

MEDIA_TYPES = ("image/jpeg", "image/png", "image/webp")


@dataclass
class PictureOperation(Operation):
    """Documents a body that is a picture and nothing else."""

    request_body: RequestBody | None = field(
        default_factory=lambda: RequestBody(
            required=True,
            content={
                kind: OpenAPIMediaType(schema=Schema(type=OpenAPIType.STRING, format=OpenAPIFormat.BINARY))
                for kind in MEDIA_TYPES
            },
        )
    )


class UsersController(Controller):
    """The person who has signed in: whose things are reached is the credential's to say, never the request's."""

    path = "/users"
    tags = ("People",)
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    response_headers = PRIVATE

    @get("/profile", summary="Read one's profile", operation_id="getProfile")
    async def profile(self, work: UnitOfWork, actor: Actor, services: Services) -> ProfileView:
        return await _profile(work, actor, services)

    @put(
        "/profile",
        summary="Change one's profile",
        operation_id="updateProfile",
        responses=problems(Invalid, *IDEMPOTENT),
    )
    async def update_profile(
        self, data: ProfileRequest, work: UnitOfWork, actor: Actor, services: Services
    ) -> ProfileView:
        """Phone numbers are kept as E.164; those without a country code are taken for the shop's own country's."""
        await update_profile(
            work,
            _id_of(actor),
            data.change(),
            region=services.settings.phone_region,
            secrets=services.secrets,
        )
        return await _profile(work, actor, services)

    @put(
        "/profile/avatar",
        summary="Send one's picture",
        operation_id="putAvatar",
        request_max_body_size=LARGEST_BYTES,
        operation_class=PictureOperation,
        responses=problems(BadPicture, MovingPicture, PictureTooLarge, Unavailable, *IDEMPOTENT),
    )
    async def put_avatar(self, body: bytes, actor: Actor, services: Services) -> PictureView:
        """The body is the picture: JPEG, PNG or WebP, at most 5 MB and 40 megapixels, and still.

        The middle of it is kept as a square, without metadata. What it replaces is deleted.
        """
        return PictureView.of(await services.avatars.change(_id_of(actor), body))

    @delete(
        "/profile/avatar",
        summary="Take away one's picture",
        operation_id="deleteAvatar",
        responses=problems(*IDEMPOTENT),
    )
    async def delete_avatar(self, actor: Actor, services: Services) -> None:
        await services.avatars.take_away(_id_of(actor))

    @get("/preferences", summary="Read one's preferences", operation_id="getPreferences")
    async def preferences(self, work: UnitOfWork, actor: Actor) -> PreferencesView:
        return PreferencesView.of(await get_preferences(work, _id_of(actor)))

    @put(
        "/preferences",
        summary="Change one's preferences",
        operation_id="updatePreferences",
        responses=problems(Invalid, *IDEMPOTENT),
    )
    async def update_preferences(self, data: PreferencesRequest, work: UnitOfWork, actor: Actor) -> PreferencesView:
        change = data.change()
        places = await list_places(work, change.favorite_destinations or [])
        return PreferencesView.of(await update_preferences(work, _id_of(actor), change, places=places))

    @get("/settings", summary="Read one's settings", operation_id="getSettings")
    async def settings(self, work: UnitOfWork, actor: Actor) -> SettingsView:
        return SettingsView.of(await get_personal_settings(work, _id_of(actor)))

    @put(
        "/settings",
        summary="Change one's settings",
        operation_id="updateSettings",
        responses=problems(Invalid, *IDEMPOTENT),
    )
    async def update_settings(self, data: SettingsRequest, work: UnitOfWork, actor: Actor) -> SettingsView:
        return SettingsView.of(await update_personal_settings(work, _id_of(actor), data.change()))

    @get("/sessions", summary="Where one is signed in", operation_id="listSessions")
    async def sessions(self, work: UnitOfWork, actor: Actor) -> SessionsView:
        running = await list_sessions(work, _id_of(actor))
        return SessionsView(items=[SessionView.of(session, actor.session_id) for session in running])

    @delete(
        "/sessions",
        summary="Sign out everywhere else",
        operation_id="endOtherSessions",
        status_code=HTTP_200_OK,
        responses=problems(*IDEMPOTENT),
    )
    async def end_other_sessions(self, work: UnitOfWork, actor: Actor) -> EndedView:
        """Ends all sessions but the one that asks."""
        return EndedView(ended=await end_sessions(work, _id_of(actor), but=actor.session_id))

    @delete(
        "/sessions/{session_id:uuid}",
        summary="Sign out one device",
        operation_id="endSession",
        responses=problems(SessionNotFound, *IDEMPOTENT),
    )
    async def end_session(self, session_id: UUID, work: UnitOfWork, actor: Actor) -> None:
        await end_session(work, _id_of(actor), session_id)


@get(
    "/avatars/{key:str}",
    summary="A person's picture",
    operation_id="getAvatar",
    tags=["People"],
    opt={"access": "public"},
    media_type="image/webp",
    responses=problems(FileNotKept, Unavailable),
)
async def avatar(
    key: Annotated[str, Parameter(max_length=64, description="As the picture's address in a profile ends.")],
    services: Services,
) -> Response[bytes]:
    """For who knows its random name. It is never changed, so it may be kept for a year."""
    return Response(
        await services.avatars.read(key),
        media_type="image/webp",
        headers={"Cache-Control": FOREVER, "Content-Security-Policy": ALONE, "Content-Disposition": "inline"},
    )


async def _profile(work: UnitOfWork, actor: Actor, services: Services) -> ProfileView:
    return ProfileView.of_person(await get_person(work, _id_of(actor), secrets=services.secrets))


def _id_of(actor: Actor) -> UUID:
    assert actor.id is not None, "the route's rule lets people in only, and they have ids"
    return actor.id
