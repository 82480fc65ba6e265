"""Which program a credential is of: a partner's API key, or a paired device's token."""

from collections.abc import Collection
from typing import Any, Final

from farebox.accounts.actor import Actor
from farebox.accounts.api_keys import KEY_PREFIX
from farebox.accounts.devices import DEVICE_PREFIX
from farebox.accounts.permissions import DEVICE_SCOPES, KEY_SCOPES
from farebox.core.crypto import token_digest
from farebox.core.db import Database
from farebox.core.errors import SignInRequired
from farebox.core.pipeline import plain
from farebox.core.together import Reader, Together

LONGEST_TOKEN: Final = 100

_USE: Final = """
    SELECT encode(digest, 'hex'), kind, program, operator, granted
      FROM use_programs(ARRAY(SELECT decode(each, 'hex') FROM unnest($1::text[]) AS asked (each)), $2::timestamptz)
"""
"""Finds them, and notes when each was last used, at most once a minute."""


class Programs:
    """Who holds a program's credential, looked up for all requests that arrive at the same time in one question.

    Nothing is remembered: what was revoked opens nothing from the next request on.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._together: Together[str, Actor] = Together(database, self._find, (_USE,))

    async def authenticate(self, token: str) -> Actor:
        """Who holds this key (`fbk_…`) or device's token (`fbd_…`).

        Raises:
            SignInRequired: unknown, revoked, or its time is over.
        """
        actor = await self._together.find(token_digest(token).hex()) if len(token) <= LONGEST_TOKEN else None
        if actor is None:
            raise SignInRequired
        return actor

    async def dispose(self) -> None:
        await self._together.dispose()

    async def _find(self, reader: Reader, digests: Collection[str]) -> dict[str, Actor]:
        [rows] = await reader.send([(_USE, (plain(digests), str(self._database.clock())))])
        return {row[0]: _actor(row) for row in rows}


def is_programs(token: str) -> bool:
    """Whether a credential looks like a program's."""
    return token.startswith((f"{KEY_PREFIX}_", f"{DEVICE_PREFIX}_"))


def _actor(row: tuple[Any, ...]) -> Actor:
    _, kind, program_id, operator_id, scopes = row
    if kind == "device":
        return Actor("device", program_id, grants=((operator_id, DEVICE_SCOPES),))
    granted = frozenset(scope for scope in KEY_SCOPES if scope in scopes)  # what no key can have any more is left out
    return Actor("partner", program_id, grants=((operator_id, granted),))
