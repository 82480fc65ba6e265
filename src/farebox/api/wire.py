"""What the JSON contract's values look like: camelCase names, money as decimal text, pages of items."""

from collections.abc import Callable, Sequence
from typing import Annotated, Generic, Self, TypeVar

import msgspec
from litestar.datastructures import ResponseHeader
from msgspec import Meta

from farebox.core.money import Money

T = TypeVar("T")
S = TypeVar("S")

PRIVATE = [ResponseHeader(name="Cache-Control", value="private, no-store", documentation_only=False)]
"""Response headers of what is one person's own."""


class Wire(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of everything that is sent."""


class Request(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of everything that is received: a field we do not know is refused, since it may be a misspelt one."""


class MoneyView(Wire):
    """An amount with all its currency's decimals."""

    amount: Annotated[str, Meta(examples=["12.50"], description="Decimal text with the currency's own decimals.")]
    currency: Annotated[str, Meta(examples=["EUR"], description="ISO 4217.")]

    @classmethod
    def of(cls, money: Money) -> Self:
        return cls(amount=str(money.amount), currency=money.currency)

    @classmethod
    def of_optional(cls, money: Money | None) -> Self | None:
        return None if money is None else cls.of(money)


class MoneyInput(Request):
    """An amount as a client writes it."""

    amount: Annotated[str, Meta(examples=["12.50"], max_length=24)]
    currency: Annotated[str, Meta(examples=["EUR"], pattern="^[A-Z]{3}$")]

    def money(self) -> Money:
        """Raises `ValueError` for an amount that the currency cannot have."""
        return Money.parse(self.amount, self.currency)


class Listing(Wire, Generic[T]):
    """One page of a list."""

    items: list[T]
    total: int
    limit: int
    offset: int


def listing(items: Sequence[S], view: Callable[[S], T], *, total: int, limit: int, offset: int) -> Listing[T]:
    return Listing(items=[view(item) for item in items], total=total, limit=limit, offset=offset)


def camel(name: str) -> str:
    """A name of ours as it is on the wire."""
    first, *rest = name.split("_")
    return first + "".join(part.title() for part in rest)
