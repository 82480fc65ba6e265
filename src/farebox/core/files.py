"""Files that people give us: kept on this machine's disk, or in a bucket that speaks S3.

A file is written once under a name that nobody can guess, and never changed: what replaces it has another name.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

import obstore
from obstore.exceptions import BaseError
from obstore.store import LocalStore, ObjectStore, S3Store

from farebox.core.errors import NotFound, Unavailable
from farebox.core.settings import Settings

SCHEME: Final = "s3://"
TIMEOUT: Final = "10s"
TRIES: Final = 2
PATIENCE: Final = timedelta(seconds=15)
"""For all tries together: somebody waits."""


class FileNotKept(NotFound):
    """No such file, or no more."""

    code = "file-not-found"


class Files:
    """Where files are kept.

    Args:
        url: `s3://bucket/prefix`; empty for the folder `files` in `home`.
        endpoint: of a service other than Amazon's that speaks S3. Keys and region are the environment's (`AWS_…`).
    """

    def __init__(self, home: Path, url: str = "", endpoint: str = "") -> None:
        self._store = _bucket(url, endpoint) if url else _folder(home / "files")

    async def put(self, name: str, content: bytes) -> None:
        """Keep a file. `name` is a path of ours, such as `avatars/x.webp`: never what somebody called it.

        Raises:
            Unavailable: the bucket cannot be reached, or the disk is full. So do the others.
        """
        try:
            with _outages():
                await obstore.put_async(self._store, name, content)
        except FileNotFoundError as error:  # the bucket itself
            raise Unavailable from error

    async def get(self, name: str) -> bytes:
        """Raises: FileNotKept."""
        try:
            with _outages():
                found = await obstore.get_async(self._store, name)
                return bytes(await found.bytes_async())
        except FileNotFoundError:
            raise FileNotKept from None

    async def delete(self, name: str) -> None:
        """Delete a file; that it is gone already is no error."""
        try:
            with _outages():
                await obstore.delete_async(self._store, name)
        except FileNotFoundError:
            return


def open_files(settings: Settings) -> Files:
    """The place that the settings name."""
    return Files(settings.home, settings.files_url, settings.files_endpoint)


async def try_files(files: Files) -> None:
    """Write a small file, read it and delete it again.

    Raises:
        Unavailable, FileNotKept: one of these does not work.
    """
    name = f"trials/{secrets.token_hex(8)}"
    await files.put(name, b"trial")
    await files.get(name)
    await files.delete(name)


@contextmanager
def _outages() -> Iterator[None]:
    try:
        yield
    except FileNotFoundError:
        raise
    except (BaseError, OSError) as error:
        raise Unavailable from error


def _folder(path: Path) -> ObjectStore:
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LocalStore(path)


def _bucket(url: str, endpoint: str) -> ObjectStore:
    bucket, _, prefix = url.removeprefix(SCHEME).partition("/")
    return S3Store(
        bucket,
        prefix=prefix or None,
        endpoint=endpoint or None,
        retry_config={"max_retries": TRIES, "retry_timeout": PATIENCE},
        client_options={"timeout": TIMEOUT, "allow_http": endpoint.startswith("http://")},
    )
