"""For the machines that look after us: are we alive, are we ready, how are we doing."""

import asyncio
from typing import Literal

import psycopg
import structlog
from litestar import Response, Router, get
from litestar.exceptions import HTTPException
from litestar.openapi.datastructures import ResponseSpec
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import QueuePool

from farebox.api.problems import answer_domain_error, answer_http_error, answer_unexpected_error
from farebox.api.wire import Wire
from farebox.bookings import BookingStatus, count_bookings_by_status
from farebox.core import metrics
from farebox.core.db import Database, UnitOfWork
from farebox.core.errors import DomainError
from farebox.core.jobs import count_jobs
from farebox.migrations.state import head
from farebox.wiring import Services

log = structlog.get_logger(__name__)

PATIENCE_SECONDS = 2.0
"""A database that takes longer to say hello is not ready."""

NO_DATABASE = (TimeoutError, SQLAlchemyError, psycopg.Error, DomainError)

JOB_STATES = ("todo", "doing", "failed")


class Liveness(Wire):
    status: Literal["alive"] = "alive"


class Readiness(Wire):
    """`schema`: `ok`, or `behind` when `farebox migrate` has not run yet; `unknown` without a database."""

    status: Literal["ready", "not-ready"]
    database: Literal["ok", "unreachable"]
    schema: Literal["ok", "behind", "unknown"]


@get("/health/live", summary="Is the process alive?", opt={"access": "public"}, tags=["Health"])
async def live() -> Liveness:
    """Answers as long as the process does; asks nobody else."""
    return Liveness()


@get(
    "/health/ready",
    summary="Can it do its work?",
    opt={"access": "public"},
    tags=["Health"],
    responses={503: ResponseSpec(Readiness, description="The database does not answer, or has another schema.")},
)
async def ready(services: Services) -> Response[Readiness]:
    """200 when the database answers and has the schema that this version needs, else 503."""
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            version = await _schema_version(services.database)
    except NO_DATABASE:
        log.warning("not-ready", exc_info=True)
        return Response(Readiness(status="not-ready", database="unreachable", schema="unknown"), status_code=503)
    if version != head():
        return Response(Readiness(status="not-ready", database="ok", schema="behind"), status_code=503)
    return Response(Readiness(status="ready", database="ok", schema="ok"))


@get("/metrics", summary="Numbers for Prometheus", opt={"access": "internal"}, include_in_schema=False)
async def prometheus(services: Services) -> Response[bytes]:
    """All series; those about the database are read from it now, and stay as they were when it does not answer."""
    pool = services.database.engine.pool
    if isinstance(pool, QueuePool):
        metrics.POOL.labels("size").set(pool.size())
        metrics.POOL.labels("used").set(pool.checkedout())
    try:
        async with asyncio.timeout(PATIENCE_SECONDS), services.database.begin() as work:
            await _read_database(work)
    except NO_DATABASE:
        log.warning("metrics-without-database", exc_info=True)
    content, content_type = metrics.render()
    return Response(content, media_type=content_type)


async def _read_database(work: UnitOfWork) -> None:
    bookings = await count_bookings_by_status(work)
    for status in BookingStatus:
        metrics.BOOKINGS.labels(status.value).set(bookings.get(status.value, 0))
    jobs = await count_jobs(work)
    for state in JOB_STATES:
        metrics.JOBS.labels(state).set(jobs.get(state, 0))
    cursor = await work.execute(
        "SELECT coalesce(state, 'other'), count(*) FROM pg_stat_activity WHERE datname = current_database() GROUP BY 1"
    )
    metrics.DATABASE_CONNECTIONS.clear()
    for state, count in await cursor.fetchall():
        metrics.DATABASE_CONNECTIONS.labels(state).set(count)


async def _schema_version(database: Database) -> str | None:
    async with database.begin() as work:
        found = await (await work.execute("SELECT to_regclass('alembic_version')")).fetchone()
        if found is None or found[0] is None:
            return None
        row = await (await work.execute("SELECT version_num FROM alembic_version")).fetchone()
        return str(row[0]) if row else None


health_router = Router(
    "/",
    route_handlers=[live, ready, prometheus],
    exception_handlers={
        DomainError: answer_domain_error,
        HTTPException: answer_http_error,
        Exception: answer_unexpected_error,
    },
)
