"""Each language is complete: every text of the source is translated, with its placeholders, and nothing else is."""

import re
from functools import cache
from importlib.resources import files
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po

from farebox.core.i18n import DEFAULT_LANGUAGE, LANGUAGES

ROOT = Path(__file__).parents[2]
TRANSLATIONS = sorted(set(LANGUAGES) - {DEFAULT_LANGUAGE})
REMEDY = "run `make messages`, then edit src/farebox/locale/{language}/LC_MESSAGES/farebox.po"

PLACEHOLDER = re.compile(r"%\(\w+\)\w|\{\w*\}|%%|%")
"""A bare percent sign counts too: templates format every text, and one too many is an error on the page."""


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_every_text_is_translated(language):
    missing = [text for text in source() if not is_translated(translation(language, text))]
    assert not missing, listing("not translated", missing, language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_translations_have_the_placeholders_of_the_source(language):
    pairs = [(text, translation(language, text)) for text in source()]
    wrong = [text for text, found in pairs if is_translated(found) and not keeps_placeholders(text, found)]
    assert not wrong, listing("translated with other placeholders", wrong, language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_no_sentence_begins_without_a_blank(language):
    """As where two translations of the same were run together."""
    found = [(text, translation(language, text)) for text in source()]
    wrong = [text for text, each in found if is_translated(each) and any(map(has_joined_sentences, forms(each.string)))]
    assert not wrong, listing("without a blank between two sentences", wrong, language)


@pytest.mark.parametrize("language", TRANSLATIONS)
def test_nothing_is_translated_that_is_no_longer_said(language):
    said = {(text.context, forms(text.id)) for text in source()}
    texts = texts_of(catalogue(language)) + list(catalogue(language).obsolete.values())
    left = [text for text in texts if (text.context, forms(text.id)) not in said]
    assert not left, listing("no longer in the source", left, language)


def keeps_placeholders(text, translated):
    """Whether each form of a translation has what will be filled in, and no more.

    The last form stands for most numbers, and names the number if the source's plural does; the others may leave it
    out if its singular does. A text that is said without a number elsewhere has none to fill in.
    """
    singular, plural = placeholders(forms(text.id)[0]), placeholders(forms(text.id)[-1])
    if (text.context, forms(text.id)[0]) in said_without_number():
        plural = singular
    *others, last = map(placeholders, forms(translated.string))
    return last == plural and all(found in {singular, plural} for found in others)


def has_joined_sentences(text):
    three = zip(text, text[1:], text[2:], strict=False)
    return any(before.islower() and stop in ".!?" and after.isupper() for before, stop, after in three)


def is_translated(text):
    return text is not None and not text.fuzzy and all(forms(text.string))


def placeholders(text):
    return tuple(sorted(set(PLACEHOLDER.findall(text))))


def forms(text):
    return (text,) if isinstance(text, str) else tuple(text)


def listing(problem, texts, language):
    lines = [f"  {f'{text.context}: ' if text.context else ''}{' / '.join(forms(text.id))}" for text in texts]
    return "\n".join([f"{len(texts)} {problem}; {REMEDY.format(language=language)}", *lines])


def translation(language, text):
    return catalogue(language).get(text.id, text.context)


def source():
    return texts_of(_extracted()[0])


def said_without_number():
    """Context and text of all that is said by itself; some of it may have a plural in other places."""
    return _extracted()[1]


def texts_of(whole):
    return [text for text in whole if text.id]


@cache
def catalogue(language):
    path = files("farebox") / "locale" / language / "LC_MESSAGES" / "farebox.po"
    return read_po(BytesIO(path.read_bytes()), locale=language)


@cache
def _extracted():
    """The texts in the source, collected as `make messages` does."""
    with (ROOT / "babel.cfg").open() as config:
        methods, options = parse_mapping_cfg(config)
    found, alone = Catalog(), set()
    keywords = DEFAULT_KEYWORDS | parse_keywords(["N_"])
    for _path, _line, text, _comments, context in extract_from_dir(ROOT / "src/farebox", methods, options, keywords):
        found.add(text, context=context)
        if isinstance(text, str):
            alone.add((context, text))
    return found, alone
