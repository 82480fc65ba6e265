"""No text that a client sends has a NUL: PostgreSQL's texts have none. Refused here, in whatever it comes.

Addresses and forms are looked at before their handler is called, JSON when it is read.
"""

from collections.abc import Iterable, Iterator
from typing import Any, Final
from urllib.parse import parse_qsl

from litestar import Request
from litestar.datastructures import FormMultiDict
from litestar.enums import RequestEncodingType, ScopeType
from litestar.exceptions import ClientException, ValidationException
from litestar.types import ASGIApp, Receive, Scope, Send

NUL: Final = "\0"
NUL_IN_ADDRESS: Final = b"%00"
NUL_IN_JSON: Final = b"\\u0000"
"""How it is written there; the last may be a backslash that is escaped, and digits."""

FORMS: Final = frozenset({RequestEncodingType.URL_ENCODED, RequestEncodingType.MULTI_PART})
API: Final = "/api/"


class Unprintable(ValidationException):
    """`fields` have texts with a NUL."""

    def __init__(self, fields: Iterable[str]) -> None:
        super().__init__("Texts have no NUL.")
        self.fields = tuple(dict.fromkeys(fields))


class PlainRequest(Request[Any, Any, Any]):
    """A request whose texts can be kept, and whose body may be anything: what cannot be read is the client's mistake,
    and no mishap of ours.
    """

    async def json(self) -> Any:
        """The body's value.

        Raises:
            ClientException: it is nested too deeply, or is not UTF-8. (The framework says so of other broken JSON.)
            Unprintable: a text in it has a NUL.
        """
        try:
            value = await super().json()
            if NUL_IN_JSON in await self.body():
                refuse(nul_fields(value))
        except (RecursionError, UnicodeDecodeError) as error:
            raise ClientException("The body is not readable JSON.") from error
        return value

    async def form(self) -> FormMultiDict:
        """The form's fields.

        Raises:
            ClientException: it is in another encoding than it says.
            Unprintable: a field has a NUL.
        """
        try:
            form = await super().form()
        except (UnicodeDecodeError, LookupError) as error:
            raise ClientException("The form is not readable.") from error
        refuse(_plain(name) for name, value in form.multi_items() if NUL in name or NUL in str(value))
        return form


def refuse_nul(app: ASGIApp) -> ASGIApp:
    """Refuses addresses and forms with a NUL. Belongs inside the router, where the parts of a path have their names."""

    async def middleware(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == ScopeType.HTTP:
            refuse(name for name, value in scope["path_params"].items() if NUL in str(value))
            if NUL_IN_ADDRESS in scope["query_string"]:
                pairs = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
                refuse(_plain(name) for name, value in pairs if NUL in name or NUL in value)
            if scope["method"] == "POST" and not scope["path"].startswith(API):
                request = PlainRequest(scope, receive)
                if request.content_type[0] in FORMS:
                    await request.form()  # which its handler may read past the request
        await app(scope, receive, send)

    return middleware


def refuse(fields: Iterable[str]) -> None:
    """Raises `Unprintable` if there are any."""
    found = list(fields)
    if found:
        raise Unprintable(found)


def nul_fields(value: Any, path: str = "") -> Iterator[str]:
    """The paths, such as `passengers.0.fullName`, of the texts in a JSON value that have a NUL."""
    if isinstance(value, str):
        if NUL in value:
            yield path or "data"
        return
    members: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, dict):
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    for name, inner in members:
        inside = f"{path}.{name}" if path else str(name)
        if NUL in inside:
            yield _plain(inside)
        else:
            yield from nul_fields(inner, inside)


def _plain(name: str) -> str:
    return name.replace(NUL, "�")
