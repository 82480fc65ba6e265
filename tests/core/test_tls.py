"""Clients of the process share what they trust."""

import ssl

import httpx
import pytest

from farebox.accounts import Handshake, OidcClient, Provider, ProviderUnreachable
from farebox.core.tls import authorities


def test_authorities_are_read_once_and_strangers_are_not_trusted():
    assert authorities() is authorities()
    assert (authorities().verify_mode, authorities().check_hostname) == (ssl.CERT_REQUIRED, True)
    assert authorities().cert_store_stats()["x509_ca"] > 0


async def test_no_sign_in_provider_has_them_read_anew(monkeypatch):
    authorities()

    def read_anew(*_, **__):
        pytest.fail("read again")

    monkeypatch.setattr(ssl, "create_default_context", read_anew)
    with pytest.raises(pytest.fail.Exception, match="read again"):
        httpx.AsyncClient()  # the control
    nowhere = "http://127.0.0.1:1/.well-known/openid-configuration"
    client = OidcClient({"depot": Provider("depot", "Depot", nowhere, "farebox", "secret")})
    handshake = Handshake("state", "nonce", "verifier")
    with pytest.raises(ProviderUnreachable):
        await client.authorization_url("depot", handshake, redirect_uri="http://127.0.0.1:8000/back", again=False)
    await client.dispose()
