"""What the JSON contract's values look like: camelCase names, money as decimal text, pages of items."""

from collections.abc import Callable, Sequence
from types import UnionType
from typing import Annotated, Any, ClassVar, Generic, Self, TypeVar, Union, get_args, get_origin

import msgspec
from litestar.datastructures import ResponseHeader
from msgspec import Meta

from farebox.core.money import Money

T = TypeVar("T")
S = TypeVar("S")

UserId = Annotated[
    Annotated[str, Meta(max_length=100)] | None,
    Meta(description="Deprecated, and ignored: for whom it is, the credential says."),
]
"""What some clients send along. It is never believed."""

PRIVATE = [ResponseHeader(name="Cache-Control", value="private, no-store", documentation_only=False)]
"""Response headers of what is one person's own."""


class Wire(msgspec.Struct, kw_only=True, rename="camel"):
    """Base of everything that is sent."""


class _NullIsNotGiven(msgspec.StructMeta):
    """Lets every field that has a default be `null` as well, in the document, too."""

    def __new__(cls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        annotations = namespace.get("__annotations__", {})
        optional = [each for each in annotations if _has_default(namespace.get(each, msgspec.NODEFAULT))]
        added = [each for each in optional if not _takes_null(annotations[each])]
        inherited = [each for base in bases for each in getattr(base, "null_is_default", ())]
        namespace["__annotations__"] = annotations | {each: annotations[each] | None for each in added}
        namespace["null_is_default"] = (*inherited, *added)
        return super().__new__(cls, name, bases, namespace, **config)


def _has_default(given: Any) -> bool:
    """Whether what is written behind a field's type is a default, or gives it one."""
    if isinstance(given, type(msgspec.field())):
        return given.default is not msgspec.NODEFAULT or given.default_factory is not msgspec.NODEFAULT
    return given is not msgspec.NODEFAULT


def _takes_null(kind: Any) -> bool:
    if get_origin(kind) is Annotated:
        return _takes_null(get_args(kind)[0])
    if get_origin(kind) in {Union, UnionType}:
        return any(map(_takes_null, get_args(kind)))
    return kind is type(None) or kind is Any


class Request(msgspec.Struct, kw_only=True, rename="camel", forbid_unknown_fields=True, metaclass=_NullIsNotGiven):
    """Base of everything that is received: a field we do not know is refused, since it may be a misspelt one.

    `null` is the same as not given, for every field that need not be given; but for those whose own type has `None`.
    """

    null_is_default: ClassVar[tuple[str, ...]]

    def __post_init__(self) -> None:
        for name in self.null_is_default:
            if getattr(self, name) is None:
                setattr(self, name, _default_of(type(self), name))


def _default_of(kind: type[Request], name: str) -> Any:
    [field] = [each for each in msgspec.structs.fields(kind) if each.name == name]
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


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
