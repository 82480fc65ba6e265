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
TEMPLATES: Final = HERE / "templates"
TICKET: Final = "ticket.typ"

KEPT_COMPILATIONS: Final = 10
"""typst remembers what it laid out in so many compilations: 50 MB for each group of sixty. Blank ones push that out."""

# What Inter has. A test prints every one of these characters.
PRINTABLE: Final = (
    "\u0020-\u007e\u00a0-\u00ac\u00ae-\u0148\u014a-\u01c3\u01c5-\u0233\u0300-\u0304\u0306-\u030a\u0323\u0384-\u038a\u038c"
    "\u038e-\u03a1\u03a3-\u03d7\u0400-\u0479\u0480-\u049d\u04a0-\u04ff\u0e3f\u1e00-\u1e9b\u1e9d-\u1eff\u2010-\u2027\u202f-\u2055"
    "\u20a0-\u20af\u20b1-\u20b5\u20b8-\u20ba\u20bc-\u20bf\u2116\u2122\u2190-\u2199\u2212"
)
_OTHERS: Final = re.compile(f"[^{PRINTABLE}]+")
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})


def print_document(document: dict[str, Any], template: str = TICKET) -> bytes:
    """The PDF of a document for a template, in about 10 ms of processor time a page. Not for two threads at once."""
    document = _each_text(document, _readable)
    if _OTHERS.search(json.dumps(document, ensure_ascii=False)):
        try:
            return _compile(document, template, with_system_fonts=True)
        except typst.TypstError:  # no font of this machine has them
            document = _each_text(document, _in_latin_letters)
    return _compile(document, template, with_system_fonts=False)


def _compile(document: dict[str, Any], template: str = TICKET, *, with_system_fonts: bool) -> bytes:
    try:
        printed = _compiler(template, with_system_fonts).compile(
            format="pdf", sys_inputs={"data": json.dumps(document)}, pdf_standards=["1.7", "ua-1"]
        )
    finally:
        for _ in range(KEPT_COMPILATIONS + 1):  # a fraction of a millisecond each
            _blank().compile(input=b"", format="svg")
    assert isinstance(printed, bytes)
    return printed


@cache
def _compiler(template: str, with_system_fonts: bool) -> typst.Compiler:
    fonts = typst.Fonts(
        include_system_fonts=with_system_fonts, include_embedded_fonts=False, font_paths=[HERE / "fonts"]
    )
    return typst.Compiler(TEMPLATES / template, root=TEMPLATES, font_paths=fonts)


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
