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
from farebox.edge.access import resolve_actor
from farebox.wiring import Services


async def provide_work(services: Services) -> AsyncIterator[UnitOfWork]:
    async with services.database.begin() as work:
        yield work


async def provide_actor(request: Request[Any, Any, Any], work: UnitOfWork) -> Actor:
    try:
        return await resolve_actor(request, work)
    except BaseException:
        await work.abandon()  # Litestar does not unwind `work` when a later dependency fails
        raise


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
