"""Style sheets, scripts, fonts and pictures, under an address that changes with their content.

All files share one digest, so that a style sheet's font and a module's import, both relative, land on the same version
and everything may be cached for ever.
"""

import hashlib
import mimetypes
from dataclasses import dataclass
from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Annotated

from litestar import Response, get
from litestar.exceptions import NotFoundException
from litestar.params import Parameter

DIGEST_LENGTH = 12
FOREVER = "public, max-age=31536000, immutable"
CHECK_FIRST = "no-cache"
MEDIA_TYPES = {".js": "text/javascript", ".woff2": "font/woff2", ".svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    content: bytes
    media_type: str


class Assets:
    """The files of `farebox/web/static`, read once."""

    @cached_property
    def by_path(self) -> dict[str, Asset]:
        return dict(sorted(_walk(files("farebox.web") / "static", "")))

    @cached_property
    def digest(self) -> str:
        sums = hashlib.sha256()
        for path, asset in self.by_path.items():
            sums.update(path.encode() + b"\0" + hashlib.sha256(asset.content).digest())
        return sums.hexdigest()[:DIGEST_LENGTH]

    def url(self, path: str) -> str:
        """The address of a file, such as `css/base.css`.

        Raises:
            KeyError: there is no such file; found when the page is first drawn, not by a traveller's browser.
        """
        if path not in self.by_path:
            raise KeyError(path)
        return f"/static/{self.digest}/{path}"


ASSETS = Assets()


@get(
    "/static/{digest:str}/{path:path}",
    opt={"access": "public", "exclude_from_csrf": True},
    include_in_schema=False,
    sync_to_thread=False,
)
def static_file(digest: str, path: Annotated[str, Parameter()]) -> Response[bytes]:
    """One file. An address of another version still answers, but is not kept."""
    asset = ASSETS.by_path.get(path.lstrip("/"))
    if asset is None:
        raise NotFoundException
    kept = FOREVER if digest == ASSETS.digest else CHECK_FIRST
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": kept})


@get("/favicon.ico", opt={"access": "public", "exclude_from_csrf": True}, include_in_schema=False, sync_to_thread=False)
def favicon() -> Response[bytes]:
    """For those who ask without reading the page."""
    asset = ASSETS.by_path["img/favicon.svg"]
    return Response(asset.content, media_type=asset.media_type, headers={"Cache-Control": "public, max-age=86400"})


def _walk(folder: Traversable, prefix: str) -> list[tuple[str, Asset]]:
    found: list[tuple[str, Asset]] = []
    for entry in folder.iterdir():
        if entry.is_dir():
            found.extend(_walk(entry, f"{prefix}{entry.name}/"))
        else:
            found.append((prefix + entry.name, Asset(entry.read_bytes(), _media_type(entry.name))))
    return found


def _media_type(name: str) -> str:
    suffix = "." + name.rpartition(".")[2]
    return MEDIA_TYPES.get(suffix) or mimetypes.guess_type(name)[0] or "application/octet-stream"
