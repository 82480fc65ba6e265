"""Reading what clients send."""

from http import HTTPStatus

from litestar.exceptions import ClientException
from litestar.types import Receive, ReceiveMessage
from litestar.types.asgi_types import HTTPRequestEvent

LARGEST_BODY = 500_000
"""Bytes of a body, of any request to the API: a booking for sixty has 20,000, a provider's message seldom more."""


async def read_whole(receive: Receive) -> bytes:
    """The body of a request.

    Raises:
        ClientException: it is too large, or its client has gone.
    """
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] != "http.request":
            raise ClientException("The request was not sent to its end.")
        body += message["body"]
        if len(body) > LARGEST_BODY:
            raise ClientException("The request is too large.", status_code=HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        if not message["more_body"]:
            return bytes(body)


def given_again(body: bytes, receive: Receive) -> Receive:
    """A `receive` that gives the body that was read, then goes on as before."""
    is_given = False

    async def again() -> ReceiveMessage:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return HTTPRequestEvent(type="http.request", body=body, more_body=False)

    return again
