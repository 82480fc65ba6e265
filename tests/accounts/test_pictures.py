"""What is drawn of pictures: small squares, anew; and what is refused."""

import io
import zipfile
import zlib
from struct import pack
from typing import Any

import pytest
from PIL import Image

from farebox.accounts import LARGEST_BYTES, BadPicture
from farebox.accounts.pictures import MOST_PIXELS, make_avatar

RED, BLUE = (200, 30, 30), (30, 30, 200)


def encoded(image: Image.Image, kind: str = "JPEG", **options: Any) -> bytes:
    content = io.BytesIO()
    image.save(content, kind, **options)
    return content.getvalue()


def plain(width: int = 300, height: int = 200, color: Any = RED, mode: str = "RGB") -> Image.Image:
    return Image.new(mode, (width, height), color)


def with_exif(**tags: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x010F] = "Secret Camera"
    exif.get_ifd(0x8825).update({1: "N", 2: (21.0, 1.0, 42.0), 3: "E", 4: (105.0, 51.0, 16.0)})
    exif[0x0112] = tags.get("orientation", 1)
    return exif


def is_nearly(pixel: Any, color: tuple[int, int, int]) -> bool:
    return all(abs(ours - theirs) < 25 for ours, theirs in zip(pixel[:3], color, strict=True))


def drawn(upload: bytes, size: int = 512) -> Image.Image:
    image = Image.open(io.BytesIO(make_avatar(upload)[size]))
    assert image.format == "WEBP"
    return image


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_nothing_of_the_camera_and_the_place_goes_along(kind):
    upload = encoded(plain(), kind, exif=with_exif(), icc_profile=b"a colour profile with a name in it")
    assert b"Secret Camera" in upload
    for content in make_avatar(upload).values():
        assert b"Secret" not in content
        assert b"profile" not in content
        image = Image.open(io.BytesIO(content))
        assert dict(image.getexif()) == {}
        assert not {"exif", "icc_profile", "xmp", "comment"} & image.info.keys()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize(("orientation", "corner"), [(1, (40, 40)), (6, (470, 40)), (3, (470, 470)), (8, (40, 470))])
def test_a_picture_stands_upright(kind, orientation, corner):
    image = plain(400, 400)
    image.paste(BLUE, (0, 0, 80, 80))
    turned = drawn(encoded(image, kind, exif=with_exif(orientation=orientation)))
    blue = [at for at in [(40, 40), (470, 40), (470, 470), (40, 470)] if is_nearly(turned.getpixel(at), BLUE)]
    assert blue == [corner]


def test_the_middle_is_kept():
    image = plain(900, 300)
    image.paste(BLUE, (300, 0, 600, 300))
    middle = drawn(encoded(image, "PNG"))
    for at in ((10, 10), (500, 10), (256, 256), (500, 500)):
        assert is_nearly(middle.getpixel(at), BLUE)


@pytest.mark.parametrize("mode", ["L", "P", "1", "RGBA", "LA", "I;16", "CMYK"])
def test_any_kind_of_colours_will_do(mode):
    image = plain().convert(mode) if mode != "I;16" else Image.new("I;16", (300, 200), 30_000)
    assert drawn(encoded(image, "JPEG" if mode == "CMYK" else "PNG"), 96).mode == "RGB"


def test_what_is_transparent_is_white():
    clear = encoded(plain(mode="RGBA", color=(200, 30, 30, 0)), "PNG")
    assert is_nearly(drawn(clear).getpixel((256, 256)), (255, 255, 255))


def test_a_photograph_with_a_second_one_for_the_other_eye_is_a_photograph():
    several = encoded(plain(), "MPO", save_all=True, append_images=[plain(color=BLUE)])
    assert is_nearly(drawn(several).getpixel((256, 256)), RED)


def png_of(width: int, height: int) -> bytes:
    """A few bytes that claim to be a picture of that size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        return pack(">I", len(content)) + kind + content + pack(">I", zlib.crc32(kind + content))

    rows = zlib.compress(bytes((width + 7) // 8 + 1) * min(height, 64))
    header = pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def zip_behind(picture: bytes) -> bytes:
    content = io.BytesIO()
    content.write(picture)
    with zipfile.ZipFile(content, "a") as archive:
        archive.writestr("run.class", "x")
    return content.getvalue()


def text_bomb() -> bytes:
    """A picture with a comment that becomes a hundred times as long when it is read."""
    from PIL.PngImagePlugin import PngInfo

    info = PngInfo()
    info.add_text("comment", "0" * 50_000_000, zip=True)
    return encoded(plain(), "PNG", pnginfo=info)


PHOTO = encoded(Image.effect_noise((300, 200), 90).convert("RGB"))
MOVING = {"save_all": True, "append_images": [plain(color=BLUE)]}

REFUSED = {
    "nothing": (b"", "bad-picture"),
    "text": (b"Dear Sir or Madam", "bad-picture"),
    "drawing in SVG": (b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>', "bad-picture"),
    "GIF": (encoded(plain(), "GIF"), "bad-picture"),
    "BMP": (encoded(plain(), "BMP"), "bad-picture"),
    "TIFF": (encoded(plain(), "TIFF"), "bad-picture"),
    "ICO": (encoded(plain(64, 64), "ICO"), "bad-picture"),
    "PDF": (encoded(plain(), "PDF"), "bad-picture"),
    "PostScript": (encoded(plain(), "EPS"), "bad-picture"),
    "archive behind a picture": (zip_behind(PHOTO), "bad-picture"),
    "page behind a picture": (PHOTO + b"<HTML><Script>alert(1)</script>", "bad-picture"),
    "page within a picture": (encoded(plain(), comment=b"<script>alert(1)</script>"), "bad-picture"),
    "document behind a picture": (PHOTO + b"%PDF-1.7", "bad-picture"),
    "half a photograph": (PHOTO[: len(PHOTO) // 2], "bad-picture"),
    "half a PNG": (encoded(plain(), "PNG")[:-40], "bad-picture"),
    "half a WebP": (encoded(plain(), "WEBP")[:60], "bad-picture"),
    "only the beginning": (PHOTO[:20], "bad-picture"),
    "PNG that moves": (encoded(plain(), "PNG", **MOVING), "moving-picture"),
    "WebP that moves": (encoded(plain(), "WEBP", **MOVING), "moving-picture"),
    "too many pixels": (png_of(MOST_PIXELS // 5000 + 1, 5000), "picture-too-large"),
    "bomb of pixels": (png_of(60_000, 60_000), "picture-too-large"),
    "bomb of text": (text_bomb(), "bad-picture"),
    "too many bytes": (PHOTO + bytes(LARGEST_BYTES - len(PHOTO) + 1), "picture-too-large"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_still_picture_is_refused_with_a_reason(name):
    upload, code = REFUSED[name]
    with pytest.raises(BadPicture) as refused:
        make_avatar(upload)
    assert refused.value.code == code
    assert refused.value.text()


def test_these_are_taken():
    """What is refused above is refused for what was done to it."""
    drawn(PHOTO)
    drawn(PHOTO + bytes(LARGEST_BYTES - len(PHOTO)))
    drawn(encoded(plain(), "PNG"))
    drawn(encoded(plain(MOST_PIXELS // 8000, 8000, mode="1", color=1), "PNG"))


def test_pixels_are_counted_before_any_is_decoded(monkeypatch):
    def decoded(*arguments: Any, **options: Any) -> None:
        pytest.fail("it was decoded")

    monkeypatch.setattr("PIL.ImageFile.ImageFile.load", decoded)
    for name in ("too many pixels", "bomb of pixels"):
        with pytest.raises(BadPicture, match="picture-too-large"):
            make_avatar(REFUSED[name][0])
