"""Rows written and read without a session, where bookings are made by the hundred a second.

A statement through SQLAlchemy's session costs five times what it costs to send it. The tables are those of the models,
and so are the values. A row that was read is a plain tuple with the model's names: nobody changes
it by assigning to it.
"""

import re
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import SimpleNamespace
from typing import Any, ClassVar, Final, Generic, TypeAlias, TypeVar, cast
from uuid import UUID

import msgspec
from psycopg import DataError
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeEngine

from farebox.core.pipeline import Rows, Statement, texts

Model = TypeVar("Model", bound=DeclarativeBase)

Write: TypeAlias = Callable[[Any], str]

_NAMED: Final = re.compile(r"%\((\w+)\)s")

_json: Final = msgspec.json.Encoder().encode


class Selection(Generic[Model]):
    """Whole rows of a table.

    Args:
        rest: what follows the table in the FROM clause: joins, and conditions with parameters `$1`, `$2` …

    Attributes:
        returning: what to put behind an INSERT or UPDATE of the table whose rows are to be read as well.
    """

    def __init__(self, model: type[Model], rest: str) -> None:
        names = [column.name for column in model.__table__.columns]
        table = model.__tablename__
        self._row: Any = namedtuple(model.__name__, names)  # type: ignore[misc]  # as many as the model has
        columns = ", ".join(f"{table}.{name}" for name in names)
        self.returning: Final = f"RETURNING {columns}"
        self._text = f"SELECT {columns} FROM {table} {rest}"  # noqa: S608  (names of ours)

    def about(self, *parameters: object) -> Statement:
        return self._text, _texts_or_none(parameters)

    def read(self, rows: Rows) -> list[Model]:
        return [cast(Model, self._row._make(row)) for row in rows]


class _NewRow(SimpleNamespace):
    """A row that is to be inserted; a class for each model."""

    model: ClassVar[type[DeclarativeBase]]


def new_row(model: type[Model], **values: Any) -> Model:
    """A row of these values by column for `inserted`, others `None`. A model's own instance costs ten times as much."""
    return cast(Model, _new_row(model)(**values))


def inserted(row: DeclarativeBase, *, rest: str = "") -> Statement:
    """The INSERT of a `new_row`, and what follows it. The table's defaults count."""
    return inserted_values(cast(_NewRow, row).model, vars(row), rest=rest)


def inserted_rows(rows: Sequence[DeclarativeBase]) -> Statement:
    """The INSERT of several of one model, each made of the same columns."""
    return inserted_many(cast(_NewRow, rows[0]).model, [vars(row) for row in rows])


def inserted_values(model: type[DeclarativeBase], values: Mapping[str, Any], *, rest: str = "") -> Statement:
    """The INSERT of these values by column, and what follows it, such as ON CONFLICT or RETURNING."""
    return inserted_many(model, [values], rest=rest)


def inserted_many(model: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]], *, rest: str = "") -> Statement:
    """The same for several with the same columns: each costs the server a fraction of a statement of its own."""
    given = tuple(rows[0])
    if any(tuple(values) != given for values in rows):
        raise ValueError(f"rows of {model.__tablename__} with different columns, or in another order")
    text, writers = _insert(model, given, len(rows))
    written = [
        None if value is None else write(value)
        for values in rows
        for write, value in zip(writers, values.values(), strict=True)
    ]
    return f"{text} {rest}" if rest else text, written


def updated(
    model: type[DeclarativeBase], values: Mapping[str, Any], condition: str, *parameters: object, rest: str = ""
) -> Statement:
    """The UPDATE of these columns, where a condition with parameters `$1`, `$2` … is so, and what follows it."""
    columns = model.__table__.columns
    changes = ", ".join(f"{name} = ${number}" for number, name in enumerate(values, len(parameters) + 1))
    written = [None if value is None else _writer(columns[name].type)(value) for name, value in values.items()]
    text = f"UPDATE {model.__tablename__} SET {changes} WHERE {condition} {rest}"  # noqa: S608  (names of ours)
    return text, [*_texts_or_none(parameters), *written]


def certain(change: Statement) -> Statement:
    """A change that must find a row, as nobody waits to hear whether it has: otherwise the transaction fails.

    It fails with a division by zero, which in a unit of work nobody takes for an answer.
    """
    text, parameters = change
    return f"WITH changed AS ({text} RETURNING 1) SELECT 1 / count(*) FROM changed", parameters  # noqa: S608


def named(text: str, parameters: Mapping[str, object]) -> Statement:
    """A statement that names its parameters `%(so)s`, as `UnitOfWork.execute` takes it. Others are left out."""
    numbered, names = _numbered(text)
    return numbered, _texts_or_none(parameters[name] for name in names)


def as_text(value: object) -> str:
    """A value as PostgreSQL reads it; of a list, an array."""
    return _WRITERS[type(value)](value)


@cache
def _new_row(model: type[DeclarativeBase]) -> type[_NewRow]:
    unset = dict.fromkeys(column.name for column in model.__table__.columns)
    return type(model.__name__, (_NewRow,), unset | {"model": model})


@cache
def _insert(model: type[DeclarativeBase], given: tuple[str, ...], count: int) -> tuple[str, Sequence[Write]]:
    columns = model.__table__.columns
    defaults = {
        column.name: column.default.arg
        for column in columns
        if column.name not in given and column.default is not None and column.default.is_scalar
    }
    names = ", ".join([*given, *defaults])
    constants = [f"'{each}'" for each in defaults.values()]
    rows = [
        ", ".join([f"${first + place}" for place in range(len(given))] + constants)
        for first in range(1, count * len(given) + 1, len(given))
    ]
    values = ", ".join(f"({row})" for row in rows)
    text = f"INSERT INTO {model.__tablename__} ({names}) VALUES {values}"  # noqa: S608  (names of ours)
    return text, [_writer(columns[name].type) for name in given]


@cache
def _numbered(text: str) -> tuple[str, Sequence[str]]:
    names = list(dict.fromkeys(_NAMED.findall(text)))
    return _NAMED.sub(lambda found: f"${names.index(found[1]) + 1}", text), names


def _writer(kind: TypeEngine[Any]) -> Write:
    return _as_json if isinstance(kind, JSONB) else as_text


def _texts_or_none(values: Iterable[object]) -> list[str | None]:
    return [None if value is None else as_text(value) for value in values]


def _as_json(value: object) -> str:
    return _json(value).decode()


def _of_text(value: str) -> str:
    if "\0" in value:  # at which the driver would cut the text off
        raise DataError("PostgreSQL's texts have no NUL")
    return value


def _of_list(values: Iterable[object]) -> str:
    return texts(map(as_text, values))


def _of_enum(value: StrEnum) -> str:
    return value.value


class _Writers(dict[type, Write]):
    """How to write values, by their type; those of a kind of texts that is not named are written as their text."""

    def __missing__(self, kind: type) -> Write:
        if not issubclass(kind, StrEnum):
            raise TypeError(f"nobody has said how to write {kind.__name__}")
        self[kind] = _of_enum
        return _of_enum


_WRITERS: Final = _Writers(
    {
        str: _of_text,
        bool: lambda value: "true" if value else "false",
        int: str,
        UUID: attrgetter("hex"),  # without its dashes, which cost as much as all else
        datetime: datetime.isoformat,
        bytes: lambda value: "\\x" + value.hex(),
        list: _of_list,
        tuple: _of_list,
    }
)
