"""Pictures that people send of themselves, made anew: nothing of what was sent is ever served."""

import io
import zipfile
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from farebox.core.errors import DomainError
from farebox.core.i18n import N_

LARGEST_BYTES: Final = 5 * 1024 * 1024
MOST_PIXELS: Final = 40_000_000
FORMATS: Final = ("JPEG", "PNG", "WEBP")
STILL: Final = frozenset({"PNG", "WEBP"})
"""Formats in which more than one frame means that it moves. In a JPEG it is a preview, or one for each eye."""

SIZES: Final = (512, 96)
"""Pixels of the sides of the squares that are made of a picture."""

QUALITY: Final = 82
_OTHER_KINDS: Final = (b"<script", b"<html", b"<svg", b"<?php", b"%pdf-")


class BadPicture(DomainError):
    """A file that is no picture, or one that we do not take."""

    code = "bad-picture"
    message = N_("We could not read this picture. Send a JPEG, PNG or WebP file.")


class PictureTooLarge(BadPicture):
    code = "picture-too-large"
    message = N_("This picture is too large. It may have {megabytes} megabytes and {megapixels} megapixels.")

    def __init__(self) -> None:
        super().__init__(megabytes=LARGEST_BYTES // 1024**2, megapixels=MOST_PIXELS // 10**6)


class MovingPicture(BadPicture):
    code = "moving-picture"
    message = N_("This picture moves. Send one that stands still.")


def make_avatar(upload: bytes) -> dict[int, bytes]:
    """Squares of the middle of a picture, upright, as WebP, by the length of their sides.

    They are drawn anew from the picture's colours: no metadata, no colour profile, no place where it was taken, and
    nothing that hides in the file goes along. The largest take two seconds and 700 MB: not for the event loop.

    Raises:
        PictureTooLarge: too many bytes, or pixels; those are counted before any is decoded.
        MovingPicture: an animation.
        BadPicture: not JPEG, PNG or WebP, cut off, broken, or something else at the same time.
    """
    if len(upload) > LARGEST_BYTES:
        raise PictureTooLarge
    if _is_something_else_too(upload):
        raise BadPicture
    try:
        with Image.open(io.BytesIO(upload), formats=FORMATS) as image:
            if image.width * image.height > MOST_PIXELS:
                raise PictureTooLarge
            if image.format in STILL and getattr(image, "n_frames", 1) > 1:
                raise MovingPicture
            image.draft("RGB", (2 * SIZES[0], 2 * SIZES[0]))  # a JPEG can be read at a part of its size, much faster
            small = ImageOps.fit(_scalable(image), (SIZES[0], SIZES[0]))
            square = _flat(ImageOps.exif_transpose(small))  # a square's middle is the same however it is turned
    except Image.DecompressionBombError:
        raise PictureTooLarge from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, ArithmeticError, LookupError) as error:
        raise BadPicture from error  # whatever a decoder says of a broken file
    return {size: _encoded(square, size) for size in SIZES}


def _scalable(image: Image.Image) -> Image.Image:
    """With colours that can be mixed; large pictures are not copied without need."""
    if image.mode in {"L", "RGB", "RGBA"}:
        return image
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _flat(image: Image.Image) -> Image.Image:
    """Without transparency: it would be dark in one place and light in another."""
    if image.has_transparency_data:
        clear = image.convert("RGBA")
        paper = Image.new("RGBA", clear.size, "white")
        paper.alpha_composite(clear)
        return paper.convert("RGB")
    return image.convert("RGB")


def _encoded(square: Image.Image, size: int) -> bytes:
    drawn = Image.new("RGB", (size, size))  # what is new has no metadata
    drawn.paste(square.resize((size, size), Image.Resampling.LANCZOS))
    content = io.BytesIO()
    drawn.save(content, "WEBP", quality=QUALITY)
    return content.getvalue()


def _is_something_else_too(upload: bytes) -> bool:
    """Whether a file is also an archive, a document or a page to who looks at it in another way."""
    folded = upload.lower()
    return zipfile.is_zipfile(io.BytesIO(upload)) or any(kind in folded for kind in _OTHER_KINDS)
