"""What means something to a database or a file system means nothing in what people type."""

import io

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from tests.attacks.conftest import PROVED
from tests.coaches.coach import open_coach
from tests.people import open_session_of

WILD = ("%", "_", "%%", "__", "a%", "%a", "\\", "\\%", "'", "' OR '1'='1", "%' OR 1=1 --", "*", "[a-z]", ".*", "\x00")
SCRIPT = b"<script>alert(1)</script><?php system($_GET['x']); ?>"


async def test_wild_cards_find_no_places(house, settings, tmp_path):
    await open_coach(house.services.database, settings, tmp_path)
    url = "http://127.0.0.1:8000/api/v1/places/suggest"
    everything = (await house.client().get(url, params={"q": "a"})).json()
    assert everything["items"]  # the control
    for typed in WILD:
        answer = await house.client().get(url, params={"q": typed})
        assert answer.status_code in {200, 400, 422}, (typed, answer.text)
        if answer.status_code == 200 and not set("az") & set(typed.lower()) and " " not in typed:
            assert answer.json()["items"] == [], typed


async def test_orders_and_numbers_are_no_statements(house, an):
    program = house.client((await open_session_of(an, proved=PROVED)).token)
    for name in ("status", "limit", "offset"):
        for value in ("id; DROP TABLE person", "(SELECT pg_sleep(9))", "1 OR 1=1", "-1", "99999999999999999999"):
            answer = await program.get("http://127.0.0.1:8000/api/v1/bookings", params={name: value})
            assert answer.status_code in {400, 422}, (name, value, answer.status_code)
    assert await house.ask("SELECT count(*) FROM person") == 1


def _picture(kind, **options):
    content = io.BytesIO()
    Image.new("RGB", (120, 90), (10, 90, 200)).save(content, kind, **options)
    return content.getvalue()


def _png():
    told = PngInfo()
    told.add_text("Comment", SCRIPT.decode())
    return _picture("PNG", pnginfo=told)


POLYGLOTS = {
    "a picture with a page behind it": _picture("JPEG") + SCRIPT,
    "a picture with an archive behind it": _picture("PNG") + b"PK\x05\x06" + bytes(18),
    "a picture with a comment": _picture("JPEG", comment=SCRIPT),
    "a picture with a text": _png(),
    "a picture with metadata": _picture("WEBP", xmp=SCRIPT, exif=b"Exif\x00\x00II*\x00" + SCRIPT),
}


@pytest.mark.parametrize("what", list(POLYGLOTS))
async def test_of_a_picture_that_is_something_else_too_only_the_picture_stays(house, an, what):
    program = house.client((await open_session_of(an)).token)
    upload = POLYGLOTS[what]
    answer = await program.put(
        "http://127.0.0.1:8000/api/v1/users/profile/avatar", content=upload, headers={"Content-Type": "text/html"}
    )
    assert answer.status_code in {200, 415, 422}, answer.text
    if answer.status_code != 200:
        return
    for size in ("profilePicture", "profilePictureSmall"):
        served = await house.client().get(f"http://127.0.0.1:8000{answer.json()[size]}")
        assert (served.status_code, served.headers["content-type"]) == (200, "image/webp")
        assert b"alert(1)" not in served.content
        assert b"PK\x05\x06" not in served.content
        assert Image.open(io.BytesIO(served.content)).info.keys() <= {"loop", "background", "timestamp", "duration"}


async def test_no_picture_is_fetched_from_elsewhere_on_the_disk(house):
    for name in (
        "..%2f..%2f..%2fetc%2fpasswd",
        "....//....//etc/passwd",
        "%2e%2e%2fsecrets.json",
        "x%00.webp",
        "-512.webp",
    ):
        answer = await house.client().get(f"http://127.0.0.1:8000/api/v1/avatars/{name}")
        assert answer.status_code in {400, 404}, name
        assert b"root:" not in answer.content


async def test_what_is_not_a_picture_is_refused_whatever_it_says_of_itself(house, an):
    program = house.client((await open_session_of(an)).token)
    url = "http://127.0.0.1:8000/api/v1/users/profile/avatar"
    gif = b"GIF89a/*" + bytes(4) + b"*/=1;alert(1)//"
    for upload in (
        SCRIPT,
        gif,
        b"\xff\xd8\xff\xe0" + SCRIPT,
        b"\x89PNG\r\n\x1a\n" + SCRIPT,
        b"RIFF\x24\0\0\0WEBP" + SCRIPT,
        b"",
    ):
        answer = await program.put(url, content=upload, headers={"Content-Type": "image/png"})
        assert answer.status_code in {400, 415, 422}, (upload[:12], answer.text)
    assert await house.ask("SELECT avatar FROM person") is None
