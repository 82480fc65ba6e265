"""What every handler can ask for: `work`, `actor`, `services`, `settings`.

`work` is committed after the handler has returned and before its response leaves; raising rolls it back.
"""

from collections.abc import AsyncIterator
from typing import Any

from litestar import Request
from litestar.di import Provide

from farebox.accounts import Actor
from farebox.core.db import UnitOfWork
from farebox.core.settings import Settings
from farebox.edge.access import Connection, resolve_actor
from farebox.edge.rate_limits import count_account
from farebox.wiring import Services


async def provide_work(services: Services) -> AsyncIterator[UnitOfWork]:
    async with services.database.begin() as work:
        yield work


async def provide_actor(request: Request[Any, Any, Any], services: Services, work: UnitOfWork) -> Actor:
    """After `work`, though without it: what can be had at once, Litestar gets at once, each in a task of its own.

    That costs as much as everything else that it does. `work` has asked the database for nothing so far, so it need not
    be unwound when this raises. It is told for which operators the actor acts, before it begins.
    """
    actor = await identify(request, services)
    if reach := actor.reach:
        await work.reach(reach)
    return actor


async def provide_actor_alone(request: Request[Any, Any, Any], services: Services) -> Actor:
    """For the handlers that begin their unit of work themselves. They see no operator's private rows."""
    return await identify(request, services)


async def identify(connection: Connection, services: Services) -> Actor:
    """Who is asking: as the route's rule allows it, and not too often.

    Raises:
        SignInRequired, NotAllowed, SecondProofRequired, StepUpRequired: see `resolve_actor`.
        TooManyRequests: this account has asked too often, from whichever address.
    """
    actor = await resolve_actor(connection, services.sessions)
    await count_account(connection, actor)
    return actor


def shared_dependencies(services: Services) -> dict[str, Provide]:
    """The providers for the application built around `services`."""

    def provide_services() -> Services:
        return services

    def provide_settings() -> Settings:
        return services.settings

    return {
        "services": Provide(provide_services, sync_to_thread=False, use_cache=True),
        "settings": Provide(provide_settings, sync_to_thread=False, use_cache=True),
        "work": Provide(provide_work),
        "actor": Provide(provide_actor),
    }
