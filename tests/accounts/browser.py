"""A browser without scripts for the pages of people: keeps cookies and sends forms as their own pages would."""

import re
from typing import Any
from urllib.parse import urlsplit

import httpx


class Browser:
    def __init__(self, client: httpx.AsyncClient) -> None:
        self.client = client

    async def get(self, url: str, **options: Any) -> httpx.Response:
        return await self.client.get(url, **options)

    async def post(self, url: str, **form: Any) -> httpx.Response:
        return await self.client.post(url, data={"_csrf_token": await self.token(), **form})

    async def ask(self, url: str) -> httpx.Response:
        """What a script sends: no body, and the token in a header."""
        return await self.client.post(url, headers={"X-CSRFToken": await self.token()})

    async def token(self) -> str:
        found = re.search(r'name="_csrf_token" value="([^"]+)"', (await self.client.get("/help")).text)
        assert found
        return found[1]


def path_of(answer: httpx.Response) -> str:
    """Where an answer sends the browser, with its query."""
    address = urlsplit(answer.headers["location"])
    return f"{address.path}?{address.query}" if address.query else address.path
