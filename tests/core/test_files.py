"""Files are kept alike on a disk and in a bucket, which is asked over real HTTP."""

import httpx
import pytest
from tests.buckets import Place

from farebox.core.errors import Unavailable
from farebox.core.files import FileNotKept, Files, try_files
from farebox.core.settings import load_settings
from farebox.doctor import Finding, Level, examine_machine


async def test_what_is_kept_is_read_again_and_can_be_replaced(place: Place):
    await place.files.put("avatars/one.webp", b"one")
    await place.files.put("avatars/two.webp", b"two")
    assert await place.files.get("avatars/one.webp") == b"one"
    assert place.names() == {"avatars/one.webp", "avatars/two.webp"}


async def test_what_is_deleted_is_gone_and_deleting_it_again_is_no_error(place: Place):
    await place.files.put("avatars/one.webp", b"one")
    await place.files.delete("avatars/one.webp")
    await place.files.delete("avatars/one.webp")
    assert place.names() == set()
    with pytest.raises(FileNotKept):
        await place.files.get("avatars/one.webp")


async def test_a_trial_leaves_nothing(place: Place):
    await try_files(place.files)
    assert place.names() == set()


def test_the_doctor_tries_a_bucket_and_says_what_is_wrong(tmp_path, bucket_keys, s3_server):
    def files(url: str, endpoint: str) -> Finding:
        settings = load_settings({}, home=tmp_path, files_url=url, files_endpoint=endpoint)
        return next(finding for finding in examine_machine(settings) if finding.subject == "files")

    httpx.put(f"{s3_server}/good").raise_for_status()
    assert files("s3://good/people", s3_server).level is Level.OK
    for url, endpoint in (("s3://missing", s3_server), ("s3://good", "http://127.0.0.1:9")):
        finding = files(url, endpoint)
        assert finding.level is Level.FAIL
        assert finding.found.startswith(url)
        assert "AWS_" in finding.advice


async def test_the_folder_of_files_is_private(tmp_path):
    Files(tmp_path)
    assert (tmp_path / "files").stat().st_mode & 0o777 == 0o700


async def test_a_bucket_that_is_away_is_no_mishap_of_ours(tmp_path, bucket_keys):
    away = Files(tmp_path, "s3://shop/people", "http://127.0.0.1:9")
    for asked in (away.get("x"), away.put("x", b"x"), away.delete("x")):
        with pytest.raises(Unavailable):
            await asked
