"""Passwords: which are accepted, and how they are kept (Argon2id) and checked.

After NIST SP 800-63B: length counts, composition does not, and what everybody tries first is refused.
"""

import asyncio
import os
import sys
import threading
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import Final, TypeVar, TypeVarTuple

import bcrypt
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from farebox.core.errors import Busy, FieldError
from farebox.core.i18n import N_

Result = TypeVar("Result")
Arguments = TypeVarTuple("Arguments")

SHORTEST: Final = 8
LONGEST: Final = 128
BCRYPT_READS: Final = 72
"""Bytes of a password that bcrypt looks at; those who made the hash took no more."""

MEMORY_KIB, PASSES, LANES = 19_456, 2, 1
"""Argon2id's parameters, from OWASP's Password Storage Cheat Sheet: 19 MiB, two passes, one lane."""

MOST_WAITING: Final = 200
"""Passwords that wait to be hashed at a time; who comes then is asked to come again soon."""

NICENESS, LOWEST = 10, 19
"""How far threads that hash stand back, as `nice` counts, and how far anybody can."""

NOBODYS: Final = "$argon2id$v=19$m=19456,t=2,p=1$lHoBuIFs13t8zMuBHy7Kag$esSQwbuk1v4U1rzXQxAiTmDeLIFoSi1e1oUzbM6NlKQ"
"""Checked where there is no account, so that it takes as long: a hash with these very parameters."""

_BCRYPT: Final = ("$2a$", "$2b$", "$2y$")


def password_errors(password: str, field: str = "password") -> list[FieldError]:
    """What is wrong with a new password, if anything."""
    length = len(unicodedata.normalize("NFKC", password))
    if length < SHORTEST:
        message = N_("A password has at least {least} characters.")
        return [FieldError(field, "password-too-short", message, least=SHORTEST)]
    if length > LONGEST or len(password) > LONGEST:
        return [FieldError(field, "password-too-long", N_("A password has at most {most} characters."), most=LONGEST)]
    if password.casefold() in _common():
        message = N_("Many people use this password, so it is the first to be tried. Choose another.")
        return [FieldError(field, "password-too-common", message)]
    return []


class Passwords:
    """Hashes and checks passwords in threads of its own: what is slow on purpose must not hold up other requests."""

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=PASSES, memory_cost=MEMORY_KIB, parallelism=LANES)
        # half of the machine at most: sign-ins wait for each other rather than everybody for them
        threads = max(1, (os.cpu_count() or 2) // 2)
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="password", initializer=_stand_back)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        """What is kept of a password.

        Raises:
            Busy: too many are waiting.
        """
        return await self._aside(self._hasher.hash, _normal(password))

    async def verify(self, kept: str | None, password: str) -> bool:
        """Whether this is the password.

        Args:
            kept: an Argon2 hash, or an imported bcrypt hash. `None`: nobody's; takes as long and is never right.

        Raises:
            Busy: too many are waiting.
        """
        is_right = await self._aside(self._check, NOBODYS if kept is None else kept, password)
        return is_right and kept is not None

    def is_outdated(self, kept: str) -> bool:
        """Whether a password should be hashed anew when it is next known: other parameters, or another algorithm."""
        return kept.startswith(_BCRYPT) or self._hasher.check_needs_rehash(kept)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _check(self, kept: str, password: str) -> bool:
        if len(password) > LONGEST:
            password = ""  # no password is so long; its length alone must not make us work
        if kept.startswith(_BCRYPT):
            try:
                return bcrypt.checkpw(password.encode()[:BCRYPT_READS], kept.encode())
            except ValueError:
                return False
        try:
            return self._hasher.verify(kept, _normal(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _aside(self, function: Callable[[*Arguments], Result], *arguments: *Arguments) -> Result:
        if self._waiting >= MOST_WAITING:
            raise Busy(retry_after=2)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, function, *arguments)
        finally:
            self._waiting -= 1


def _stand_back() -> None:
    """Let everything else go first: on a busy machine, seat maps come twice as soon while many sign in.

    Linux has priorities of threads; elsewhere all threads are alike.
    """
    if sys.platform == "linux":
        own = os.getpriority(os.PRIO_PROCESS, 0)
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), min(own + NICENESS, LOWEST))


def _normal(password: str) -> str:
    """One form of characters that can be typed in several ways (SP 800-63B, 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _common() -> frozenset[str]:
    # here, since it is large, and many processes never need it
    from zxcvbn.frequency_lists import FREQUENCY_LISTS  # type: ignore[import-untyped]  # noqa: PLC0415

    return frozenset(word for word in FREQUENCY_LISTS["passwords"] if len(word) >= SHORTEST)
