"""Advisory locks on files, between processes of one machine; the kernel drops them however a process ends."""

import fcntl
import os
from pathlib import Path


class FileLock:
    """A lock on a file, shared or exclusive, held until `release`.

    Raises:
        BlockingIOError: somebody else holds it, and `wait` is false.
        OSError: the file cannot be made.
    """

    def __init__(self, path: Path, *, exclusive: bool, wait: bool = True) -> None:
        self.file = open(path, "a+", opener=_private)  # noqa: SIM115  (`release` closes it)
        try:
            fcntl.flock(self.file, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (0 if wait else fcntl.LOCK_NB))
        except BaseException:
            self.file.close()
            raise

    def release(self) -> None:
        """Give it up; a second time does nothing."""
        self.file.close()


def _private(path: str, flags: int) -> int:
    """Who can read a file can lock it, and keep us waiting."""
    return os.open(path, flags, 0o600)
