"""Reading what clients send."""

from typing import Any

from litestar import Request
from litestar.exceptions import ClientException


class ApiRequest(Request[Any, Any, Any]):
    """A request whose body may be anything: what cannot be read is the client's mistake, and no mishap of ours."""

    async def json(self) -> Any:
        """The body's value.

        Raises:
            ClientException: it is nested too deeply, or is not UTF-8. (The framework says so of other broken JSON.)
        """
        try:
            return await super().json()
        except (RecursionError, UnicodeDecodeError) as error:
            raise ClientException("The body is not readable JSON.") from error
