"""What is kept about somebody: seeing it, taking it along, having it erased; and who looked at it."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from litestar import Controller, Response, delete, get, put
from litestar.di import Provide
from litestar.params import Parameter, QueryParameter
from litestar.response import Stream
from litestar.status_codes import HTTP_200_OK
from msgspec import Meta

from farebox.accounts import (
    Access,
    Actor,
    Consent,
    Permission,
    PersonNotFound,
    Purpose,
    StepUpRequired,
    list_accesses,
    list_consents,
    say_consent,
    search_accesses,
)
from farebox.api.idempotency import IDEMPOTENT
from farebox.api.problems import problems
from farebox.api.wire import PRIVATE, Listing, Request, Wire, listing
from farebox.core.db import UnitOfWork
from farebox.core.errors import Invalid, NotAllowed, SignInRequired
from farebox.edge.dependencies import provide_actor_alone
from farebox.notifications import Office
from farebox.privacy import NotErasable, erase, export_person, find_obstacles, stream_archive, subjects_of
from farebox.wiring import Services

PERSON = "person:018f6b2e-0000-7000-8000-00000000c001"
LONGEST_SUBJECT = 60

Limit = Annotated[int, Parameter(ge=1, le=100)]
Offset = Annotated[int, Parameter(ge=0, le=1_000_000)]


class ConsentView(Wire):
    """Where somebody stands on one purpose. `at` is null for who was never asked, which is no consent."""

    purpose: Purpose
    given: bool
    at: datetime | None
    wording: Annotated[str, Meta(description="What they were shown when they said so.")]
    source: Annotated[str, Meta(examples=["account"])]

    @classmethod
    def of(cls, consent: Consent) -> "ConsentView":
        return cls(
            purpose=consent.purpose,
            given=consent.is_given,
            at=consent.at,
            wording=consent.wording,
            source=consent.source,
        )


class ConsentsView(Wire):
    consents: list[ConsentView]


class ConsentChoice(Request):
    purpose: Purpose
    given: bool


class ConsentsRequest(Request):
    """Purposes that are not named stay as they are."""

    consents: Annotated[list[ConsentChoice], Meta(max_length=10)]


class AccessView(Wire):
    """One time that somebody saw or changed a person's data."""

    at: datetime
    by: Annotated[str, Meta(examples=["user"], description="What kind of actor; not which of an operator's people.")]
    operator_id: Annotated[UUID | None, Meta(description="For which operator they acted.")]
    subject: Annotated[str, Meta(examples=[PERSON])]
    action: Annotated[str, Meta(examples=["read"])]
    fields: list[str]

    @classmethod
    def of(cls, access: Access) -> "AccessView":
        return cls(
            at=access.at,
            by=access.actor.partition(":")[0],
            operator_id=access.operator_id,
            subject=access.subject,
            action=access.action,
            fields=list(access.fields),
        )


class AuditView(AccessView):
    """The same for whom it is a duty to look after it: with who it was."""

    actor: Annotated[str, Meta(examples=["user:018f6b2e-0000-7000-8000-00000000c002"])]

    @classmethod
    def of(cls, access: Access) -> "AuditView":
        return cls(
            at=access.at,
            by=access.actor.partition(":")[0],
            actor=access.actor,
            operator_id=access.operator_id,
            subject=access.subject,
            action=access.action,
            fields=list(access.fields),
        )


class ErasureView(Wire):
    """Whether an account can be erased now, and what stays of its bookings."""

    possible: bool
    obstacles: Annotated[list[str], Meta(examples=[["upcoming"]])]
    references: Annotated[list[str], Meta(description="The bookings that are in the way.")]
    kept: Annotated[list[str], Meta(description="What tax law asks to keep of bookings, without any name.")]
    kept_years: int


class ErasedView(Wire):
    erased: Literal[True] = True


class PrivacyController(Controller):
    """For the person who has signed in."""

    path = "/users"
    tags = ("People",)
    opt = {"access": "user"}  # noqa: RUF012  (Litestar's own form)
    dependencies = {"actor": Provide(provide_actor_alone)}  # noqa: RUF012
    response_headers = PRIVATE

    @get(
        "/export",
        summary="Take along everything about oneself",
        operation_id="exportUser",
        opt={"step_up": True, "rate": "write", "uncompressed": True},
        responses=problems(SignInRequired, StepUpRequired, PersonNotFound),
    )
    async def export(
        self,
        actor: Actor,
        services: Services,
        format_: Annotated[
            Literal["json", "zip"], QueryParameter(name="format", description="`zip`: with the tickets as PDF.")
        ] = "json",
    ) -> Response[Any]:
        """Profile, settings, consents, sessions, bookings with their passengers, payments, messages, and who looked."""
        async with services.database.begin(reach="*") as work:
            document = await export_person(work, actor, secrets=services.secrets)
        name = f"farebox-{work.now:%Y-%m-%d}.{format_}"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        if format_ == "json":
            return Response(document, headers=headers)
        archive = stream_archive(services.database, actor, document, secrets=services.secrets)
        return Stream(archive, media_type="application/zip", headers=headers)

    @get("/erasure", summary="Ask what erasing one's account means", operation_id="getErasure")
    async def erasure(self, actor: Actor, services: Services) -> ErasureView:
        async with services.database.begin(reach="*") as work:
            obstacles = await find_obstacles(work, _id_of(actor))
        return ErasureView(
            possible=not obstacles.reasons,
            obstacles=list(obstacles.reasons),
            references=list(obstacles.references),
            kept=["amounts", "dates", "references", "rides"],
            kept_years=services.settings.keep_bookings_years,
        )

    @delete(
        "/me",
        summary="Erase one's account",
        operation_id="eraseUser",
        opt={"step_up": True},
        status_code=HTTP_200_OK,
        responses=problems(SignInRequired, StepUpRequired, NotErasable, *IDEMPOTENT),
    )
    async def erase(self, actor: Actor, services: Services) -> ErasedView:
        """At once and for good; all sessions end. Refused while a trip is ahead or money is owed, either way."""
        await _erase(services, _id_of(actor), actor)
        return ErasedView()

    @get("/consents", summary="Read what one has agreed to", operation_id="getConsents")
    async def consents(self, actor: Actor, services: Services) -> ConsentsView:
        async with services.database.begin() as work:
            return await _consents(work, actor)

    @put(
        "/consents",
        summary="Give or withdraw consent",
        operation_id="putConsents",
        responses=problems(Invalid, *IDEMPOTENT),
    )
    async def say_consents(self, data: ConsentsRequest, actor: Actor, services: Services) -> ConsentsView:
        """Every answer is kept with the words that were shown; the newest counts."""
        async with services.database.begin() as work:
            for choice in data.consents:
                await say_consent(work, _id_of(actor), choice.purpose, is_given=choice.given, source="api")
            return await _consents(work, actor)

    @get("/accesses", summary="Read who looked at one's data", operation_id="listAccesses")
    async def accesses(
        self, actor: Actor, services: Services, limit: Limit = 20, offset: Offset = 0
    ) -> Listing[AccessView]:
        """The latest first: who saw or changed the account or its bookings, and what one did oneself."""
        async with services.database.begin(reach="*") as work:
            subjects = await subjects_of(work, actor)
            found, total = await list_accesses(work, subjects, limit=limit, offset=offset)
        return listing(found, AccessView.of, total=total, limit=limit, offset=offset)


@get(
    "/audit/personal",
    summary="Search who saw or changed personal data",
    operation_id="searchAccesses",
    tags=["Staff"],
    opt={"access": "staff", "permission": Permission.AUDIT_READ},
    response_headers=PRIVATE,
    responses=problems(SignInRequired, NotAllowed),
)
async def personal_audit(
    work: UnitOfWork,
    actor: Actor,
    subject: Annotated[str, Parameter(max_length=LONGEST_SUBJECT, description="Such as `booking:<id>`.")] = "",
    by: Annotated[str, Parameter(max_length=LONGEST_SUBJECT, description="Such as `user:<id>`.")] = "",
    limit: Limit = 50,
    offset: Offset = 0,
) -> Listing[AuditView]:
    """What was done for the operators that one audits; for admins of the platform, all. The latest first."""
    found, total = await search_accesses(work, actor=actor, subject=subject, by=by, limit=limit, offset=offset)
    return listing(found, AuditView.of, total=total, limit=limit, offset=offset)


@delete(
    "/people/{person_id:uuid}",
    summary="Erase somebody's account at their wish",
    operation_id="erasePerson",
    tags=["Staff"],
    opt={"access": "staff", "permission": Permission.PEOPLE_ERASE, "step_up": True},
    status_code=HTTP_200_OK,
    dependencies={"actor": Provide(provide_actor_alone)},
    response_headers=PRIVATE,
    responses=problems(SignInRequired, StepUpRequired, NotAllowed, PersonNotFound, NotErasable, *IDEMPOTENT),
)
async def erase_person(person_id: UUID, actor: Actor, services: Services) -> ErasedView:
    """For who cannot sign in any more and has proved otherwise who they are. As if they did it themselves."""
    await _erase(services, person_id, actor)
    return ErasedView()


async def _erase(services: Services, person_id: UUID, actor: Actor) -> None:
    office = Office(jobs=services.jobs, settings=services.settings, secrets=services.secrets)
    async with services.database.begin(reach="*") as work:
        await erase(work, person_id, actor=actor, jobs=services.jobs, office=office, secrets=services.secrets)


async def _consents(work: UnitOfWork, actor: Actor) -> ConsentsView:
    return ConsentsView(consents=[ConsentView.of(each) for each in await list_consents(work, _id_of(actor))])


def _id_of(actor: Actor) -> UUID:
    assert actor.id is not None, "the rule of the route"
    return actor.id
