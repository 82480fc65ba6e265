"""Looking at a printed PDF: its pages as pictures, its text, its structure."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pikepdf
import pypdfium2
from PIL.Image import Image

POINTS_PER_INCH = 72


def pages_of(pdf: bytes, *, dpi: int = 100) -> list[Image]:
    document = pypdfium2.PdfDocument(pdf)
    return [page.render(scale=dpi / POINTS_PER_INCH).to_pil().convert("L") for page in document]


def text_of(pdf: bytes) -> str:
    document = pypdfium2.PdfDocument(pdf)
    return "\n".join(page.get_textpage().get_text_bounded() for page in document)


def structure_of(pdf: bytes) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each element of the tag tree: its kind and its attributes."""
    with pikepdf.open(BytesIO(pdf)) as document:
        yield from _walk(document.Root.StructTreeRoot.K)


def _walk(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    if isinstance(node, pikepdf.Array):
        for child in node:
            yield from _walk(child)
    elif isinstance(node, pikepdf.Dictionary) and "/S" in node:
        yield str(node.S).lstrip("/"), {key.lstrip("/"): str(node[key]) for key in ("/Alt", "/Lang") if key in node}
        if "/K" in node:
            yield from _walk(node.K)
