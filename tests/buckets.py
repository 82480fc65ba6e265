"""Places for files: a folder, and a bucket of a server that speaks S3."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

import httpx
import pytest
from moto.server import ThreadedMotoServer
from msgspec import structs

from farebox.core.files import Files
from farebox.core.ids import new_id
from farebox.core.settings import Settings

PREFIX = "people"
NAMESPACE = "{http://s3.amazonaws.com/doc/2006-03-01/}"


@dataclass(frozen=True)
class Place:
    """Where files are, and what settings say so."""

    files: Files
    url: str
    endpoint: str
    names: Callable[[], set[str]]

    def named_in(self, settings: Settings) -> Settings:
        return structs.replace(settings, files_url=self.url, files_endpoint=self.endpoint)


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """A server that speaks S3, on this machine."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The keys of the bucket, where programs for S3 look for them."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "a-key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "its-secret")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")


@pytest.fixture(params=["disk", "bucket"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """Each kind of place in turn."""
    if request.param == "disk":
        folder = tmp_path / "files"
        return Place(Files(tmp_path), "", "", lambda: set(_found_in(folder)))
    request.getfixturevalue("bucket_keys")
    server: str = request.getfixturevalue("s3_server")
    bucket = f"shop-{new_id()}"
    httpx.put(f"{server}/{bucket}").raise_for_status()
    url = f"s3://{bucket}/{PREFIX}"
    return Place(Files(tmp_path, url, server), url, server, lambda: set(_listed(f"{server}/{bucket}")))


def _found_in(folder: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder))


def _listed(bucket_url: str) -> Iterator[str]:
    listing = ET.fromstring(httpx.get(bucket_url, params={"list-type": "2"}).text)
    for key in listing.iter(f"{NAMESPACE}Key"):
        assert key.text
        assert key.text.startswith(f"{PREFIX}/")
        yield key.text.removeprefix(f"{PREFIX}/")
