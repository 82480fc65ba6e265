"""The files of a feed, in a zip or in a folder, read within bounds whatever they claim to be."""

import io
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import IO, TYPE_CHECKING

from farebox.timetable.errors import GtfsError

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

MAX_BYTES = 4 * 1024**3
"""Unpacked bytes read of one feed. The largest national feeds have about 3 GiB."""

MAX_FILES = 1000

_CHUNK = 1024 * 1024
_MARKS_OF_A_FEED = {"agency.txt", "stops.txt", "routes.txt", "trips.txt", "stop_times.txt"}


class FeedFiles(ABC):
    """The text files of one feed, by their names without folder, in lower case.

    Attributes:
        stem: name of the archive or folder without its ending.
        sizes: unpacked bytes of each file, as the archive says.
    """

    def __init__(self, stem: str, sizes: dict[str, int], max_bytes: int) -> None:
        self.stem = stem
        self.sizes = sizes
        self._left = self._allowed = max_bytes

    def __contains__(self, name: str) -> bool:
        return name in self.sizes

    @contextmanager
    def open(self, name: str) -> Iterator[io.BufferedReader]:
        """The bytes of a file. Raises `GtfsError` for a broken archive, or one that never ends."""
        try:
            with self._open(name) as raw:
                yield io.BufferedReader(_Bounded(raw, self), _CHUNK)
        except (zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise GtfsError("The archive is damaged here. Download it again.", file=name) from error
        except NotImplementedError as error:
            reason = "The archive is packed in a way that cannot be read. Pack it again as an ordinary zip."
            raise GtfsError(reason, file=name) from error
        except OSError as error:
            raise GtfsError(f"The file cannot be read: {error.strerror or error}.", file=name) from error

    def count(self, read: int) -> None:
        """Note bytes that were read; raises `GtfsError` when they are too many."""
        self._left -= read
        if self._left < 0:
            limit = f"{self._allowed / 1024**3:.1f} GiB"
            raise GtfsError(f"The feed unpacks to more than {limit}. It is broken, or made to do harm.")

    @abstractmethod
    def close(self) -> None:
        """Give up the archive."""

    @abstractmethod
    def _open(self, name: str) -> IO[bytes]: ...


class _Folder(FeedFiles):
    def __init__(self, path: Path, max_bytes: int) -> None:
        self._paths = {p.name.lower(): p for p in sorted(path.iterdir()) if p.is_file() and p.suffix.lower() == ".txt"}
        super().__init__(path.resolve().name, {name: p.stat().st_size for name, p in self._paths.items()}, max_bytes)

    def _open(self, name: str) -> IO[bytes]:
        return self._paths[name].open("rb")

    def close(self) -> None:
        """Nothing is held open."""


class _Zip(FeedFiles):
    def __init__(self, path: Path, archive: zipfile.ZipFile, max_bytes: int) -> None:
        self._archive = archive
        self._members = {_base(member): member for member in _members_of_feed(archive)}
        super().__init__(path.stem, {name: member.file_size for name, member in self._members.items()}, max_bytes)

    def _open(self, name: str) -> IO[bytes]:
        return self._archive.open(self._members[name])

    def close(self) -> None:
        self._archive.close()


class _Bounded(io.RawIOBase):
    """A stream that counts what is read from it: an archive's own word on its sizes is worth nothing."""

    def __init__(self, source: IO[bytes], files: FeedFiles) -> None:
        self._source, self._files, self._read = source, files, 0

    def tell(self) -> int:
        return self._read

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer") -> int:
        view = memoryview(buffer)
        data = self._source.read(len(view))
        self._files.count(len(data))
        self._read += len(data)
        view[: len(data)] = data
        return len(data)


@contextmanager
def open_feed_files(path: Path, *, max_bytes: int = MAX_BYTES) -> Iterator[FeedFiles]:
    """The files of the feed at `path`: a zip (its files at the top, or together in one folder) or a folder.

    Raises:
        GtfsError: nothing there, not a zip, no feed in it, or more than one.
    """
    if not path.exists():
        raise GtfsError(f"There is no file {str(path)!r}. Check the path.")
    if path.is_dir():
        inner = [p for p in sorted(path.iterdir()) if p.is_dir() and (p / "stops.txt").is_file()]
        files: FeedFiles = _Folder(path if (path / "stops.txt").is_file() or len(inner) != 1 else inner[0], max_bytes)
    else:
        files = _open_zip(path, max_bytes)
    try:
        if not _MARKS_OF_A_FEED & set(files.sizes):
            reason = "There is no timetable in it: a GTFS feed has agency.txt, stops.txt, routes.txt and others."
            raise GtfsError(reason, file=path.name)
        yield files
    finally:
        files.close()


def _open_zip(path: Path, max_bytes: int) -> FeedFiles:
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, ValueError) as error:
        if path.stat().st_size == 0:
            raise GtfsError("The file is empty. Download it again.", file=path.name) from error
        with path.open("rb") as file:
            start = file.read(15).lstrip().lower()
        hint = " It is a web page; the download address was wrong." if start.startswith((b"<!doc", b"<html")) else ""
        raise GtfsError(f"This is not a zip archive, or it is damaged.{hint}", file=path.name) from error
    except OSError as error:
        raise GtfsError(f"The file cannot be read: {error.strerror or error}.", file=path.name) from error
    try:
        return _Zip(path, archive, max_bytes)
    except GtfsError:
        archive.close()
        raise


def _members_of_feed(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """The text files of the one folder of the archive that holds a feed."""
    members = [m for m in archive.infolist() if not m.is_dir() and not m.filename.startswith("__MACOSX/")]
    name = Path(archive.filename or "").name
    if len(members) > MAX_FILES:
        raise GtfsError(f"The archive holds {len(members)} files, which is no timetable.", file=name)
    folders: dict[str, list[zipfile.ZipInfo]] = {}
    for member in members:
        path = PurePosixPath(member.filename.replace("\\", "/"))
        if path.suffix.lower() == ".txt" and not path.name.startswith("."):
            folders.setdefault(str(path.parent), []).append(member)
    feeds = [f for f, inside in folders.items() if any(_base(m) in _MARKS_OF_A_FEED for m in inside)]
    if "." in feeds:
        feeds = ["."]
    if len(feeds) > 1:
        raise GtfsError(
            f"The archive holds {len(feeds)} feeds ({', '.join(feeds[:3])} …). Import them one by one.", file=name
        )
    if not feeds:
        packed = [m.filename for m in members if m.filename.lower().endswith(".zip")]
        hint = f" It holds other archives ({', '.join(packed[:3])}); unpack it and import those." if packed else ""
        raise GtfsError(
            f"There is no timetable in it: a GTFS feed has stops.txt, trips.txt and others.{hint}", file=name
        )
    for member in folders[feeds[0]]:
        if member.flag_bits & 1:
            raise GtfsError("The archive is protected by a password. Unpack it first.", file=_base(member))
    return folders[feeds[0]]


def _base(member: zipfile.ZipInfo) -> str:
    return PurePosixPath(member.filename.replace("\\", "/")).name.lower()
