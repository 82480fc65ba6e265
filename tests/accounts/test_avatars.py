"""Pictures of people: whatever is sent, what is kept is a small square drawn anew, and nothing else."""

import asyncio
import io
from dataclasses import replace
from typing import Any

import httpx
import pytest
from PIL import Image
from tests.buckets import Place

from farebox.accounts import LARGEST_BYTES, Avatars, delete_avatar, register_avatar_jobs
from farebox.core.errors import Unavailable
from farebox.core.jobs import Jobs
from farebox.wiring import Services

AVATAR = "/users/profile/avatar"
RED, BLUE = (200, 30, 30), (30, 30, 200)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def plain(width: int = 300, height: int = 200, color: Any = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), color)


def is_nearly(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(ours - theirs) < 25 for ours, theirs in zip(pixel[:3], color, strict=True))


@pytest.fixture
async def services(services: Services, place: Place) -> Services:
    """With files in each kind of place in turn."""
    jobs = Jobs(services.database.direct_dsn)
    register_avatar_jobs(jobs, place.files)
    return replace(
        services,
        files=place.files,
        jobs=jobs,
        avatars=Avatars(services.database, place.files, jobs),
    )


async def sent(client: httpx.AsyncClient, picture: bytes, status: int = 200) -> Any:
    answer = await client.put(AVATAR, content=picture, headers={"Content-Type": "image/jpeg"})
    assert answer.status_code == status, answer.text
    return answer.json()


async def seen(client: httpx.AsyncClient, address: str) -> Image.Image:
    answer = await client.get(f"http://127.0.0.1:8000{address}")
    assert answer.status_code == 200
    return Image.open(io.BytesIO(answer.content))


async def finish_jobs(services: Services) -> None:
    async with services.jobs.app.open_async():
        await services.jobs.run_worker(wait=False)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
async def test_a_picture_becomes_two_squares(client, client_of, place, kind):
    told = await sent(client, encoded(plain(), kind))
    assert (await client.get("/users/profile")).json()["profilePicture"] == told["profilePicture"]
    nobody = await client_of()  # who knows the address needs no sign-in: pages show it
    for address, size in ((told["profilePicture"], 512), (told["profilePictureSmall"], 96)):
        image = await seen(nobody, address)
        assert (image.format, image.size, image.mode) == ("WEBP", (size, size), "RGB")
        assert is_nearly(image.getpixel((size // 2, size // 2)), RED)
    assert len(place.names()) == 2


async def test_a_picture_is_served_so_that_no_browser_takes_it_for_anything_else(client):
    told = await sent(client, encoded(plain()))
    answer = await client.get(f"http://127.0.0.1:8000{told['profilePicture']}")
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
    assert answer.headers["cache-control"] == "private, max-age=31536000, immutable"
    assert "set-cookie" not in answer.headers


async def test_what_replaces_a_picture_deletes_it_and_so_does_taking_it_away(client, services, place):
    first = await sent(client, encoded(plain()))
    second = await sent(client, encoded(plain(color=BLUE)))
    assert len(place.names()) == 4
    await finish_jobs(services)
    assert len(place.names()) == 2
    assert (await client.get(f"http://127.0.0.1:8000{first['profilePicture']}")).status_code == 404
    assert is_nearly((await seen(client, second["profilePicture"])).getpixel((9, 9)), BLUE)

    assert (await client.delete(AVATAR)).status_code == 204
    assert (await client.delete(AVATAR)).status_code == 204
    assert (await client.get("/users/profile")).json()["profilePicture"] is None
    await finish_jobs(services)
    assert place.names() == set()


async def test_deleting_the_files_of_a_picture_twice_is_no_error(client, place):
    told = await sent(client, encoded(plain()))
    name = told["profilePicture"].rpartition("/")[2].removesuffix("-512.webp")
    await delete_avatar(place.files, name)
    await delete_avatar(place.files, name)
    assert place.names() == set()


async def test_what_cannot_be_written_down_leaves_no_files(services, an, place):
    stranger = replace(an, id=type(an.id)(int=0))
    with pytest.raises(Exception, match="person-not-found"):
        await services.avatars.change(stranger.id, encoded(plain()))
    assert place.names() == set()


async def test_two_at_the_same_time_leave_one(client, services, place):
    await asyncio.gather(*(sent(client, encoded(plain(color=color))) for color in (RED, BLUE)))
    await finish_jobs(services)
    assert len(place.names()) == 2
    told = (await client.get("/users/profile")).json()
    assert (await seen(client, told["profilePictureSmall"])).size == (96, 96)


REFUSED = {
    "bad-picture": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', 422),
    "moving-picture": (encoded(plain(), "PNG", save_all=True, append_images=[plain(color=BLUE)]), 422),
    "picture-too-large": (encoded(Image.new("1", (8000, 5001)), "PNG"), 413),
    "content-too-large": (bytes(LARGEST_BYTES + 1), 413),
}
"""More of them are in `test_pictures`."""


async def test_what_is_no_still_picture_is_refused_and_leaves_nothing(client, place):
    for code, (upload, status) in REFUSED.items():
        problem = await sent(client, upload, status)
        assert problem["code"] == code
        assert problem["detail"]
    assert place.names() == set()
    assert (await client.get("/users/profile")).json()["profilePicture"] is None


async def test_the_loop_goes_on_while_a_picture_is_drawn(client):
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            await asyncio.sleep(0.005)
            ticks += 1

    clock = asyncio.create_task(tick())
    await sent(client, encoded(plain(4000, 4000), "PNG"))
    clock.cancel()
    assert ticks > 5


async def test_without_a_sign_in_nothing_is_taken(client_of, place):
    nobody = await client_of()
    await sent(nobody, encoded(plain()), 401)
    assert (await nobody.delete(AVATAR)).status_code == 401
    assert place.names() == set()


async def test_what_was_never_kept_is_not_found(client):
    for key in ("0" * 32 + "-512.webp", "0" * 32 + "-511.webp", "..%2Fsecrets%2Fsecret.key", "secret.key", "x" * 64):
        assert (await client.get(f"/avatars/{key}")).status_code == 404


async def test_while_nothing_can_be_kept_it_says_so(client, services, monkeypatch):
    async def away(name: str, content: bytes) -> None:
        raise Unavailable

    monkeypatch.setattr(services.files, "put", away)
    assert (await sent(client, encoded(plain()), 503))["code"] == "unavailable"
    assert (await client.get("/users/profile")).json()["profilePicture"] is None
