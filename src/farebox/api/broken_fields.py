"""What is wrong with the shape of a request, field by field, in the reader's words.

The framework and msgspec say it in English, for programmers; their messages are read here, and nowhere else.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

from litestar import Request
from litestar.exceptions import ValidationException
from litestar.params import ParameterKwarg

from farebox.api.wire import camel
from farebox.core.errors import FieldError
from farebox.core.i18n import N_
from farebox.edge.texts import Unprintable

MISSING_PARAMETER: Final = re.compile(r"Missing required \w+ parameter '([^']+)'")
"""How the framework says that a parameter was not given."""

MEMBER: Final = re.compile(r"(?:unknown|missing required) field `([^`]+)`")
"""How msgspec says which member of an object is too many, or was not given."""

INDEX: Final = re.compile(r"\[(\d+)\]")
WORD: Final = re.compile(r"\w+")
NAMES: Final = {"str": "string", "int": "integer", "float": "number", "bool": "boolean"}
"""Types by msgspec's names -> by JSON's. The others are called alike."""

REQUIRED: Final = ("missing", N_("This is required."))
RULES: Final = (
    (r"Object missing required field", *REQUIRED),
    (r"Object contains unknown field", "unknown-field", N_("There is no such field.")),
    (r"Expected `str` of length <= (?P<limit>\d+)", "too-long", N_("Use at most {limit} characters.")),
    (r"Expected `str` of length >= (?P<limit>\d+)", "too-short", N_("Use at least {limit} characters.")),
    (r"Expected `(?:array|object)` of length <= (?P<limit>\d+)", "too-many", N_("Give at most {limit} of these.")),
    (r"Expected `(?:array|object)` of length >= (?P<limit>\d+)", "too-few", N_("Give at least {limit} of these.")),
    (r"Expected `\w+` <= (?P<limit>\S+)", "out-of-range", N_("This must be {limit} at most.")),
    (r"Expected `\w+` >= (?P<limit>\S+)", "out-of-range", N_("This must be {limit} at least.")),
    (r"(?:Integer value|Number) out of range", "out-of-range", N_("This number is too large.")),
    (r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`", "invalid", N_("This must be {wanted}, not {given}.")),
    (r"Invalid enum value", "unknown", N_("This is none of the values that are possible here.")),
    (r"Invalid UUID", "invalid", N_("This is not an id.")),
    (r"Invalid RFC3339 encoded datetime", "invalid", N_("Write the time like this: 2026-11-25T08:30:00+07:00.")),
    (r"Invalid RFC3339 encoded date", "invalid", N_("Write the day like this: 2026-11-25.")),
    (r"Invalid decimal string", "invalid", N_("Write the number like this: 12.50.")),
    (r"", "invalid", N_("This is not what is needed here.")),
)
"""How a message of msgspec's begins, its code, and the same in words. The first that fits counts."""


def broken_fields(request: Request[Any, Any, Any], error: ValidationException) -> list[FieldError]:
    """What was found wrong, under the names that the client used."""
    if isinstance(error, Unprintable):
        return [
            FieldError(_camel_in_path(request, name), "unprintable", N_("This cannot be printed."))
            for name in error.fields
        ]
    missing = MISSING_PARAMETER.match(error.detail)
    if missing:
        return [FieldError(name, *REQUIRED) for name in [*_missing_parameters(request)] or [missing[1]]]
    fields = []
    for item in error.extra if isinstance(error.extra, list) else []:
        key, message = str(item.get("key", "")), str(item.get("message", ""))
        if message == repr(key):  # a whole body that was not sent
            return [FieldError(key, *REQUIRED)]
        fields.append(_in_words(_name(request, key, message), message))
    return fields


def _missing_parameters(request: Request[Any, Any, Any]) -> Iterator[str]:
    """The framework names the first alone."""
    for name, definition in _parameters(request).items():
        told = definition.kwarg_definition
        if isinstance(told, ParameterKwarg) and definition.is_required and name not in request.path_params:
            wire = told.name or name
            if wire not in request.query_params:
                yield wire


def _name(request: Request[Any, Any, Any], key: str, message: str) -> str:
    parameters = _parameters(request)
    told = parameters[key].kwarg_definition if key in parameters else None
    name = INDEX.sub(r".\1", getattr(told, "name", None) or _camel_in_path(request, key))
    member = MEMBER.search(message)
    if member is None:
        return name
    return member[1] if name == "data" else f"{name}.{member[1]}"


def _camel_in_path(request: Request[Any, Any, Any], name: str) -> str:
    return camel(name) if name in request.path_params else name


def _in_words(name: str, message: str) -> FieldError:
    for pattern, code, words in RULES:
        found = re.match(pattern, message)
        if found:
            facts = found.groupdict()
            for kind in facts.keys() & {"wanted", "given"}:
                facts[kind] = WORD.sub(lambda word: NAMES.get(word[0], word[0]), facts[kind])
            return FieldError(name, code, words, **facts)
    raise AssertionError("the last rule fits all")


def _parameters(request: Request[Any, Any, Any]) -> dict[str, Any]:
    found: dict[str, Any] = request.scope["route_handler"].parsed_fn_signature.parameters
    return found
