"""Operators: the companies that sell."""

from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert

from farebox.accounts.errors import OperatorNotFound
from farebox.accounts.models import OperatorRow
from farebox.core.db import UnitOfWork
from farebox.core.ids import new_id
from farebox.core.together import Question

DEFAULT_BRAND_COLOR = "#14213d"


@dataclass(frozen=True, slots=True)
class OperatorView:
    """An operator as tickets, mails and pages show it.

    Attributes:
        code: slug, unique, stable.
        timezone: IANA name; times without a place of their own are told in it.
        currency: ISO 4217, of its fares.
        language: of its own texts, such as names of stops.
        brand_color: CSS hexadecimal colour.
        max_seats: how many seats of a departure one traveller may hold at a time; `None`: as many as the settings say.
        legal_name, tax_number: for invoices; empty: `name`, and none.
        commission_bp: what the platform keeps of its sales, in basis points.
    """

    id: UUID
    code: str
    name: str
    timezone: str
    currency: str
    language: str = "en"
    url: str = ""
    phone: str = ""
    email: str = ""
    brand_color: str = DEFAULT_BRAND_COLOR
    address: str = ""
    max_seats: int | None = None
    legal_name: str = ""
    tax_number: str = ""
    commission_bp: int = 0


OPERATORS: Final[Question[UUID, OperatorView]] = Question(
    f"SELECT {', '.join(OperatorView.__dataclass_fields__)} FROM operator WHERE id = ANY($1::uuid[])",  # noqa: S608
    lambda row: OperatorView(*row),
)
"""Operators by id."""


async def get_operator(work: UnitOfWork, operator_id: UUID) -> OperatorView:
    """Raises: OperatorNotFound."""
    found = await list_operators(work, [operator_id])
    if operator_id not in found:
        raise OperatorNotFound
    return found[operator_id]


async def list_operators(work: UnitOfWork, operator_ids: Collection[UUID]) -> dict[UUID, OperatorView]:
    """The operators with these ids; ids that do not exist are left out."""
    return await OPERATORS.ask(work, operator_ids)


async def find_operator_by_code(work: UnitOfWork, code: str) -> OperatorView | None:
    row = await work.session.scalar(select(OperatorRow).where(OperatorRow.code == code))
    return _view(row) if row else None


async def list_currencies_sold(work: UnitOfWork) -> list[str]:
    """The currencies of operators' fares, that of most operators first."""
    how_many = func.count().desc()
    found = select(OperatorRow.currency).group_by(OperatorRow.currency).order_by(how_many, OperatorRow.currency)
    return list(await work.session.scalars(found))


async def upsert_operator(
    work: UnitOfWork,
    *,
    code: str,
    name: str,
    timezone: str,
    currency: str,
    language: str = "en",
    url: str = "",
    phone: str = "",
    email: str = "",
    brand_color: str = DEFAULT_BRAND_COLOR,
    address: str = "",
    max_seats: int | None = None,
    legal_name: str | None = None,
    tax_number: str | None = None,
    commission_bp: int | None = None,
) -> OperatorView:
    """Make the operator with this code, or bring it up to date; its id never changes.

    Args:
        max_seats, legal_name, tax_number, commission_bp: not given, they stay what they were: timetables, which bring
            operators up to date, do not know them.
    """
    ours: dict[str, Any] = {
        "max_seats": max_seats,
        "legal_name": legal_name,
        "tax_number": tax_number,
        "commission_bp": commission_bp,
    }
    given = {field: value for field, value in ours.items() if value is not None}
    facts = OperatorView(
        new_id(), code, name, timezone, currency, language, url, phone, email, brand_color, address, **given
    )
    values = asdict(facts)
    statement = insert(OperatorRow).values(values)
    kept = {"id", "code", *ours} - given.keys()
    updated = {field: statement.excluded[field] for field in values if field not in kept}
    row = await work.session.scalar(
        statement.on_conflict_do_update(index_elements=["code"], set_=updated).returning(OperatorRow),
        execution_options={"populate_existing": True},
    )
    assert row is not None
    return _view(row)


def _view(row: OperatorRow) -> OperatorView:
    return OperatorView(**{field: getattr(row, field) for field in OperatorView.__dataclass_fields__})
