"""Structured logs on standard error: one JSON object a line for machines, aligned text for people.

Personal data stays out: no addresses, no query strings, no bodies; what an exception quotes is scrubbed of e-mail
addresses, of long numbers, and of the rows that PostgreSQL adds as detail.
"""

import logging
import re
import sys
from typing import Any, TextIO

import msgspec
import structlog
from structlog.types import EventDict, Processor, WrappedLogger

from farebox.core.settings import Settings

QUIET = ("uvicorn", "procrastinate", "httpx", "httpcore", "aiosmtplib", "sqlalchemy", "alembic", "psycopg.pool")
"""Libraries that tell every step; of these we keep warnings."""

_EMAIL = re.compile(r"[\w.+-]+@[\w-]+(\.[\w-]+)+")
_LONG_NUMBER = re.compile(r"(?<![\w-])(?!\d{4}-\d\d-\d\d)\+?\d(?:[ .-]?\d){7,14}(?![\w-])")
_QUOTED_ROWS = re.compile(r"^(DETAIL|CONTEXT):.*$|^\[parameters: .*$", re.MULTILINE)


def configure_logs(settings: Settings, *, stream: TextIO | None = None) -> None:
    """Send structlog's and the standard library's records to `stream` (standard error) in one form.

    The form is JSON when `settings.log_format` says so, or, left to itself, in production and where nobody watches
    (the stream is no terminal).
    """
    output = stream or sys.stderr
    is_json = settings.log_format == "json" or (
        settings.log_format == "auto" and (settings.is_production or not output.isatty())
    )
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso" if is_json else "%H:%M:%S", utc=is_json),
        structlog.processors.format_exc_info,
        scrub,
    ]
    renderer: Processor = (
        structlog.processors.JSONRenderer(serializer=_to_json)
        if is_json
        else structlog.dev.ConsoleRenderer(colors=output.isatty(), pad_event_to=24)
    )
    level = logging.getLevelNamesMapping()[settings.log_level]
    structlog.configure(
        processors=[*shared, renderer],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.WriteLoggerFactory(file=output),
    )
    handler = logging.StreamHandler(output)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, renderer],
        )
    )
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def scrub(_: WrappedLogger, __: str, event: EventDict) -> EventDict:
    """Take personal data out of an event and its exception: the last guard, for what nobody meant to log."""
    for name in ("event", "exception"):
        text = event.get(name)
        if isinstance(text, str):
            text = _QUOTED_ROWS.sub("[left out]", text)
            text = _EMAIL.sub("[e-mail]", text)
            event[name] = _LONG_NUMBER.sub("[number]", text)
    return event


def _to_json(event: EventDict, **_: Any) -> str:
    return msgspec.json.encode(event, enc_hook=str).decode()
