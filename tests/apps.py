"""The application for one test after another. Building it takes longer than most tests: hundreds of routes."""

from dataclasses import fields, replace
from pathlib import Path
from typing import Any

from msgspec import structs

from farebox.app import create_app
from farebox.core.crypto import once_made_password
from farebox.core.settings import Settings
from farebox.wiring import Services

_built: dict[Settings, tuple[Any, Services]] = {}


def app_of(services: Services) -> Any:
    """The application around `services`, until it is asked for around others.

    Those that differ in what an application is built of (origins, addresses) get another one; those that count requests
    one of their own.
    """
    if services.settings.rate_limits == "on":
        return create_app(services)
    settings = structs.replace(services.settings, home=Path(), database_url="", direct_database_url="")
    if settings not in _built:
        own = replace(services)
        _built[settings] = create_app(own), own
    app, own = _built[settings]
    for field in fields(Services):
        object.__setattr__(own, field.name, getattr(services, field.name))
    app.csrf_config.secret = services.secrets.derive("csrf").hex()
    app.state["operations_password"] = once_made_password(services.settings.home, "operations")
    return app
