"""Where keys are kept: in the environment, or made once in the data directory, readable by their owner only."""

import base64
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Final

KEY_BYTES: Final = 32
FEWEST_DIFFERENT_BYTES: Final = 16
"""Of 32 random bytes, nearly all differ: a key with fewer was typed, not drawn."""

_SEALING: Final = re.compile(r"sealing-(\d{4,})\.key")


def read_key(given: str, name: str) -> bytes:
    """A key as it stands in the environment.

    Raises:
        ValueError: not 32 bytes in base64url; says the name, never the value.
    """
    try:
        key = base64.b64decode(given + "=" * (-len(given) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise ValueError(f"{name} is not base64url") from None
    if len(key) != KEY_BYTES:
        raise ValueError(f"{name} must be 32 bytes in base64url; it has {len(key)}")
    return key


def read_keys(given: str, name: str) -> tuple[bytes, ...]:
    """Keys separated by commas. Raises `ValueError` as `read_key` does."""
    return tuple(read_key(each.strip(), name) for each in given.split(",") if each.strip())


def kept_key(path: Path) -> bytes:
    """The key in a file, made at the first call.

    Raises:
        ValueError: the file holds something else.
    """
    if not path.exists():
        write_key(path, os.urandom(KEY_BYTES))
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path.name} must hold 32 bytes; it holds {len(key)}")
    return key


def write_key(path: Path, key: bytes) -> bool:
    """Write a key that nobody else can read, whole or not at all; false when the file was there before."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)  # the first of two starting at once wins; the other reads what it wrote
    except FileExistsError:
        return False
    finally:
        draft.unlink()
    return True


def encoded(key: bytes) -> str:
    """A key as the environment takes it."""
    return base64.urlsafe_b64encode(key).decode().rstrip("=")


def looks_typed(key: bytes) -> bool:
    """Whether a key was hardly drawn at random."""
    return len(set(key)) < FEWEST_DIFFERENT_BYTES


class SealingKeys:
    """The keys `sealing-0001.key`, `sealing-0002.key` … of a directory, as they are at this moment.

    A key that another process has just made counts from its making: whoever seals or searches looks at the directory's
    time first, which takes a microsecond.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._place = str(directory)  # paths are slow to ask
        self._seen: int | None = None
        self._keys: tuple[bytes, ...] = ()

    def __call__(self) -> Sequence[bytes]:
        """The newest last."""
        try:
            changed = os.stat(self._place).st_mtime_ns  # noqa: PTH116  (five times faster)
        except FileNotFoundError:
            return ()
        if changed != self._seen:
            self._keys = tuple(kept_key(path) for _, path in self._files())
            self._seen = changed
        return self._keys

    def make(self) -> bytes:
        """Make the next key; from now on it seals."""
        while True:
            key = os.urandom(KEY_BYTES)
            newest = max((number for number, _ in self._files()), default=0)
            if write_key(self._directory / f"sealing-{newest + 1:04d}.key", key):
                self._seen = None
                return key

    def _files(self) -> list[tuple[int, Path]]:
        found = ((_SEALING.fullmatch(path.name), path) for path in self._directory.glob("sealing-*.key"))
        return sorted((int(match[1]), path) for match, path in found if match)
