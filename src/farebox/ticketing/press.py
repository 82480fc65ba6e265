"""The press: typst makes a tagged, accessible PDF (PDF/UA-1) with its fonts embedded of what is to be printed.

All that people and feeds wrote reaches typst as JSON data, never as source, so no name can be markup.

The fonts that come with Farebox (Inter) cover Latin with all its accents, Greek and Cyrillic. A text in another script
is printed with the machine's own fonts where they have it, and in Latin letters where not: an empty box on a ticket
helps nobody, and PDF/UA forbids it.

Imported at the first ticket (see `pdf`), so that a process that prints nothing does without typst's memory.
"""

import json
import re
import unicodedata
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

import typst
from anyascii import anyascii

HERE: Final = Path(str(files("farebox.ticketing")))
TEMPLATE: Final = HERE / "templates" / "ticket.typ"

KEPT_COMPILATIONS: Final = 10
"""typst remembers what it laid out in so many compilations: 50 MB for each group of sixty. Blank ones push that out."""

# What Inter has. A test prints every one of these characters.
PRINTABLE: Final = (
    "\u0020-\u007e\u00a0-\u017f\u0180-\u0233\u0300\u0301\u0303\u0309\u0323\u0386\u0388-\u038a\u038c\u038e-\u03a1"
    "\u03a3-\u03ce\u0400-\u045f\u1e00-\u1eff\u2010-\u2015\u2018-\u201e\u2020-\u2022\u2026\u2032\u2033\u2039\u203a"
    "\u20ab\u20ac\u2122\u2190-\u2193\u2212"
)
_OTHERS: Final = re.compile(f"[^{PRINTABLE}]+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def print_document(document: dict[str, Any]) -> bytes:
    """The PDF of a document for the template, in about 10 ms of processor time a page. Not for two threads at once."""
    document = _each_text(document, _readable)
    if _OTHERS.search(json.dumps(document, ensure_ascii=False)):
        try:
            return _compile(document, with_system_fonts=True)
        except typst.TypstError:  # no font of this machine has them
            document = _each_text(document, _in_latin_letters)
    return _compile(document, with_system_fonts=False)


def _compile(document: dict[str, Any], *, with_system_fonts: bool) -> bytes:
    try:
        printed = _compiler(with_system_fonts).compile(
            format="pdf", sys_inputs={"data": json.dumps(document)}, pdf_standards=["1.7", "ua-1"]
        )
    finally:
        for _ in range(KEPT_COMPILATIONS + 1):  # a fraction of a millisecond each
            _blank().compile(input=b"", format="svg")
    assert isinstance(printed, bytes)
    return printed


@cache
def _compiler(with_system_fonts: bool) -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=with_system_fonts, include_embedded_fonts=False, font_paths=[HERE / "fonts"]
    )
    return typst.Compiler(TEMPLATE, root=TEMPLATE.parent, font_paths=fonts)


@cache
def _blank() -> typst.Compiler:
    return typst.Compiler(b"", font_paths=typst.Fonts(include_system_fonts=False, include_embedded_fonts=False))


def _each_text(value: Any, change: Callable[[str], str]) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {key: _each_text(part, change) for key, part in value.items()}
    return [_each_text(part, change) for part in value] if isinstance(value, list | tuple) else value


def _readable(text: str) -> str:
    """Composed characters, and none that would be invisible."""
    composed = unicodedata.normalize("NFC", text)
    return "".join(character for character in composed if unicodedata.category(character) not in _INVISIBLE)


def _in_latin_letters(text: str) -> str:
    def spell(match: re.Match[str]) -> str:
        return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", anyascii(match.group()))

    return _OTHERS.sub(spell, text)
