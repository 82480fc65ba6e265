"""Whom we trust to say who a server is."""

import ssl
from functools import cache

import httpx


@cache
def authorities() -> ssl.SSLContext:
    """For every client of the process: read once, since that takes up to a tenth of a second."""
    return httpx.create_ssl_context()
