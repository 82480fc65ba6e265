"""Who a person's credential is of: a browser's cookie, or a program's access token.

What may be done for operators is read anew each time, so it ends at once when a membership does; and an access token
is worth nothing from the moment at which its session has ended.
"""

from collections.abc import Collection
from datetime import timedelta
from typing import Any, Final

from farebox.accounts.access_tokens import AccessTokens
from farebox.accounts.actor import Actor, person_actor
from farebox.accounts.person_sessions import BROWSER_PREFIX
from farebox.core.crypto import token_digest
from farebox.core.db import Database
from farebox.core.errors import SignInRequired
from farebox.core.pipeline import plain
from farebox.core.settings import Settings
from farebox.core.together import Reader, Together

LONGEST_TOKEN: Final = 100
LONGEST_ACCESS_TOKEN: Final = 8_000

SLIDE_AFTER: Final = timedelta(minutes=5)
"""A session slides forward at most this often, so that not each request writes a row."""

_COLUMNS: Final = f"""
           s.id, s.person_id, p.roles, staff_grants(s.person_id), s.proved, s.proved_at,
           EXISTS (SELECT FROM factor f WHERE f.person_id = s.person_id AND f.confirmed_at IS NOT NULL),
           s.kind = 'browser' AND $2::timestamptz - s.used_at > interval '{int(SLIDE_AFTER.total_seconds())} seconds'
"""

_RUNNING: Final = "s.expires_at > $2::timestamptz AND s.ends_at > $2::timestamptz AND p.erased_at IS NULL"

_BY_TOKEN: Final = f"""
    SELECT asked.digest, theirs.*
      FROM unnest($1::text[]) AS asked (digest),
   LATERAL (SELECT {_COLUMNS} FROM person_session s JOIN person p ON p.id = s.person_id
             WHERE s.token_digest = decode(asked.digest, 'hex') AND {_RUNNING}
            OFFSET 0) AS theirs
"""  # noqa: S608

_BY_ID: Final = f"""
    SELECT asked.id::text, theirs.*
      FROM unnest($1::uuid[]) AS asked (id),
   LATERAL (SELECT {_COLUMNS} FROM person_session s JOIN person p ON p.id = s.person_id
             WHERE s.id = asked.id AND {_RUNNING}
            OFFSET 0) AS theirs
"""  # noqa: S608

_SLIDE: Final = """
    UPDATE person_session
       SET used_at = $2::timestamptz, expires_at = least(ends_at, $2::timestamptz + $3::int * interval '1 second')
     WHERE id IN (SELECT id FROM person_session WHERE id = ANY($1::uuid[]) FOR UPDATE SKIP LOCKED)
"""
"""Browsers' sessions only: programs' slide when they refresh."""


class People:
    """Who holds a person's credential, looked up for all requests that arrive at the same time in one question."""

    def __init__(self, database: Database, tokens: AccessTokens, settings: Settings) -> None:
        self._database = database
        self._tokens = tokens
        self._idle_seconds = settings.session_idle_seconds
        self._together: Together[str, Actor] = Together(database, self._find, (_BY_TOKEN, _BY_ID, _SLIDE))

    async def authenticate(self, token: str) -> Actor:
        """Who holds this cookie (`fbs_…`) or access token. A cookie's session slides forward.

        Raises:
            SignInRequired: not a token of ours, its time is over, or its session has ended.
        """
        if is_access_token(token):
            if len(token) > LONGEST_ACCESS_TOKEN:
                raise SignInRequired
            actor = await self._together.find(str(await self._tokens.session_of(token)))
        else:
            if len(token) > LONGEST_TOKEN:
                raise SignInRequired
            actor = await self._together.find(token_digest(token).hex())
        if actor is None:
            raise SignInRequired
        return actor

    async def dispose(self) -> None:
        await self._together.dispose()

    async def _find(self, reader: Reader, keys: Collection[str]) -> dict[str, Actor]:
        """By the digests of cookies, in hexadecimal, and by the ids of sessions."""
        now = str(self._database.clock())
        ids = [key for key in keys if "-" in key]
        digests = [key for key in keys if "-" not in key]
        by_token, by_id = await reader.send([(_BY_TOKEN, (plain(digests), now)), (_BY_ID, (plain(ids), now))])
        if used := [str(row[1]) for row in by_token if row[-1]]:
            await reader.send([(_SLIDE, (plain(used), now, str(self._idle_seconds)))])
        return {row[0]: _actor(row) for row in (*by_token, *by_id)}


def is_access_token(token: str) -> bool:
    """Whether it looks like one: three parts, where ours have none."""
    return token.count(".") == 2  # noqa: PLR2004


def is_persons(token: str) -> bool:
    """Whether a credential looks like a person's."""
    return token.startswith(f"{BROWSER_PREFIX}_") or is_access_token(token)


def _actor(row: tuple[Any, ...]) -> Actor:
    _, session_id, person_id, roles, memberships, proved, proved_at, has_second_factor, _ = row
    return person_actor(
        person_id,
        session_id,
        roles=roles,
        memberships=memberships,
        proved=proved,
        proved_at=proved_at,
        has_second_factor=has_second_factor,
    )
