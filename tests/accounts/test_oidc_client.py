"""What is believed of an OpenID provider, and what is not, over real HTTP."""

import asyncio
import base64
import hashlib
import hmac
import json
import time
from dataclasses import replace
from urllib.parse import parse_qs, parse_qsl, urlsplit

import jwt
import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from tests.accounts.provider import RSA_KEY, WELL_KNOWN, public, running_provider

from farebox.accounts import (
    Handshake,
    OidcClient,
    Provider,
    ProviderDenied,
    ProviderEmailUnverified,
    ProviderRefused,
    ProviderUnreachable,
    UnknownProvider,
    oidc,
    read_providers,
)
from farebox.core.settings import BadSetting, load_settings

BACK = "http://127.0.0.1:8000/auth/oidc/depot/callback"
HANDSHAKE = Handshake("the-state", "the-nonce", "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")  # of RFC 7636, B
AN = {"email": "an@example.com", "email_verified": True, "given_name": "An", "family_name": "Nguyễn"}


@pytest.fixture(scope="module")
def running():
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(running):
    running.reset()
    running.knows("an", **AN)
    return running


@pytest.fixture
async def client(provider):
    client = OidcClient({"depot": Provider("depot", "Depot", provider.discovery, "farebox", "the secret/+")})
    yield client
    await client.dispose()


async def begin(client, *, again=False):
    return await client.authorization_url("depot", HANDSHAKE, redirect_uri=BACK, again=again)


async def sign_in(client, provider, handshake=HANDSHAKE, *, again=False, subject="an"):
    url = await begin(client, again=again)
    answer = dict(parse_qsl(urlsplit(provider.consent(url, subject)).query))
    return await client.redeem("depot", answer, handshake, redirect_uri=BACK, again=again)


async def test_somebody_signs_in(client, provider):
    url = await begin(client)
    assert {name: value for name, [value] in parse_qs(urlsplit(url).query).items()} == {
        "response_type": "code",
        "client_id": "farebox",
        "redirect_uri": BACK,
        "scope": "openid email profile",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    claims = await sign_in(client, provider)
    assert (claims.provider, claims.issuer, claims.subject) == ("depot", provider.url, "an")
    assert (claims.email, claims.first_name, claims.last_name) == ("an@example.com", "An", "Nguyễn")
    [redeemed] = provider.redeemed
    assert redeemed["code_verifier"] == HANDSHAKE.verifier
    assert "client_secret" not in redeemed


async def test_what_is_published_is_asked_for_once(client, provider):
    await sign_in(client, provider)
    await sign_in(client, provider)
    assert (provider.hits.count(WELL_KNOWN), provider.hits.count("/jwks")) == (1, 1)


async def test_the_client_proves_itself_in_the_form_where_the_provider_wants_that(client, provider):
    provider.metadata = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    await sign_in(client, provider)
    [redeemed] = provider.redeemed
    assert (redeemed["client_id"], redeemed["client_secret"]) == ("farebox", "the secret/+")


async def test_a_wrong_verifier_redeems_nothing(client, provider):
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider, replace(HANDSHAKE, verifier="w" * 43))


async def test_a_token_of_another_handshake_proves_nothing(client, provider):
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider, replace(HANDSHAKE, nonce="another"))


async def test_a_code_is_redeemed_once(client, provider):
    answer = dict(parse_qsl(urlsplit(provider.consent(await begin(client), "an")).query))
    await client.redeem("depot", answer, HANDSHAKE, redirect_uri=BACK, again=False)
    with pytest.raises(ProviderRefused):
        await client.redeem("depot", answer, HANDSHAKE, redirect_uri=BACK, again=False)


async def test_who_cancels_is_told_so(client, provider):
    answer = dict(parse_qsl(urlsplit(provider.deny(await begin(client))).query))
    assert answer["error"] == "access_denied"
    with pytest.raises(ProviderDenied):
        await client.redeem("depot", answer, HANDSHAKE, redirect_uri=BACK, again=False)
    with pytest.raises(ProviderDenied):
        await client.redeem("depot", {"state": "the-state"}, HANDSHAKE, redirect_uri=BACK, again=False)


@pytest.mark.parametrize(
    "claims",
    [
        {"email": "an@example.com"},
        {"email": "an@example.com", "email_verified": False},
        {"email": "an@example.com", "email_verified": "false"},
        {"email": "an@example.com", "email_verified": 1},
        {"email_verified": True},
        {"email": "nobody", "email_verified": True},
        {"email": ["an@example.com"], "email_verified": True},
    ],
    ids=["not said", "false", "false as text", "a number", "no address", "no address at all", "a list"],
)
async def test_an_address_that_is_not_verified_there_is_none(client, provider, claims):
    provider.knows("an", **claims)
    with pytest.raises(ProviderEmailUnverified):
        await sign_in(client, provider)


@pytest.mark.parametrize("algorithm", ["RS256", "ES256", "EdDSA"])
@pytest.mark.parametrize("kid", [None, "new"])
async def test_tokens_may_be_signed_in_three_ways_with_a_named_key_or_the_only_one(client, provider, algorithm, kid):
    named = {"kid": kid} if kid else {}
    provider.keys = [public(algorithm, **named)]
    provider.forge = lambda claims: provider.sign(claims, algorithm, **named)
    assert (await sign_in(client, provider)).subject == "an"


def without_address(claims):
    return {
        name: value for name, value in claims.items() if not name.startswith(("email", "given_name", "family_name"))
    }


async def test_who_tells_addresses_apart_from_the_token_is_asked_for_them(client, provider):
    provider.keys = [public("RS256")]
    provider.forge = lambda claims: provider.sign(without_address(claims))
    claims = await sign_in(client, provider)
    assert (claims.subject, claims.email, claims.first_name) == ("an", "an@example.com", "An")
    provider.knows("an", email="an@example.com", email_verified=False)
    with pytest.raises(ProviderEmailUnverified):
        await sign_in(client, provider)


async def test_what_is_told_apart_is_of_the_same_person(client, provider):
    provider.keys = [public("RS256")]
    provider.forge = lambda claims: provider.sign({**without_address(claims), "sub": "binh"})
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider)


async def test_who_tells_an_address_nowhere_proves_nobody(client, provider):
    provider.metadata = {"userinfo_endpoint": None}
    provider.keys = [public("RS256")]
    provider.forge = lambda claims: provider.sign(without_address(claims))
    with pytest.raises(ProviderEmailUnverified):
        await sign_in(client, provider)


async def test_of_several_keys_the_named_one_counts(client, provider):
    provider.keys = [public("RS256", kid="old"), public("ES256", kid="es"), public("RS256", kid="new")]
    provider.forge = lambda claims: provider.sign(claims, kid="new")
    assert (await sign_in(client, provider)).subject == "an"
    provider.forge = provider.sign
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider)


async def test_a_key_that_is_new_is_asked_for_but_not_each_time(client, provider, monkeypatch):
    await sign_in(client, provider)
    provider.keys = [public("RS256", kid="new")]
    provider.forge = lambda claims: provider.sign(claims, kid="new")
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider)
    assert provider.hits.count("/jwks") == 1
    monkeypatch.setattr(oidc, "KEYS_AGAIN_SECONDS", -1)
    assert (await sign_in(client, provider)).subject == "an"
    assert provider.hits.count("/jwks") == 2


async def test_who_comes_while_the_keys_are_asked_for_waits_for_them(client, provider):
    handshakes = [replace(HANDSHAKE, nonce=f"nonce {number}") for number in range(4)]
    answers = []
    for handshake in handshakes:
        url = await client.authorization_url("depot", handshake, redirect_uri=BACK, again=False)
        answers.append(dict(parse_qsl(urlsplit(provider.consent(url, "an")).query)))
    claims = await asyncio.gather(
        *(
            client.redeem("depot", answer, handshake, redirect_uri=BACK, again=False)
            for answer, handshake in zip(answers, handshakes, strict=True)
        )
    )
    assert [each.subject for each in claims] == ["an"] * 4
    assert provider.hits.count("/jwks") == 1


def forged(**changes):
    return lambda provider, claims: provider.sign({**claims, **changes}, kid="k")


def without(name):
    return lambda provider, claims: provider.sign({n: v for n, v in claims.items() if n != name}, kid="k")


def unsigned(provider, claims):
    return jwt.encode(claims, "", "none")


def signed_with_the_public_key(provider, claims):
    """The oldest of tricks: the public key is no secret."""
    pem = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    header, body = (
        base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=") for part in ({"alg": "HS256"}, claims)
    )
    signature = hmac.digest(pem, header + b"." + body, hashlib.sha256)
    return (header + b"." + body + b"." + base64.urlsafe_b64encode(signature).rstrip(b"=")).decode()


def changed(provider, claims):
    header, _, signature = provider.sign(claims, kid="k").split(".")
    body = base64.urlsafe_b64encode(json.dumps({**claims, "sub": "root"}).encode()).decode().rstrip("=")
    return f"{header}.{body}.{signature}"


FORGERIES = {
    "another issuer": forged(iss="https://accounts.google.com"),
    "another audience": forged(aud="somebody-else"),
    "several audiences": forged(aud=["farebox", "somebody-else"]),
    "for another party": forged(azp="somebody-else"),
    "over": forged(exp=1_700_000_000),
    "from the future": forged(iat=4_000_000_000),
    "not yet": forged(nbf=4_000_000_000),
    "another nonce": forged(nonce="another"),
    "no subject": forged(sub=""),
    "a long subject": forged(sub="x" * 256),
    "a number as subject": forged(sub=7),
    "without exp": without("exp"),
    "without nonce": without("nonce"),
    "without aud": without("aud"),
    "without iss": without("iss"),
    "without sub": without("sub"),
    "unsigned": unsigned,
    "signed with the public key": signed_with_the_public_key,
    "changed": changed,
    "another algorithm": lambda provider, claims: jwt.encode(claims, RSA_KEY, "PS256", headers={"kid": "k"}),
    "another kind of key": lambda provider, claims: provider.sign(claims, "ES256", kid="k"),
    "no such key": lambda provider, claims: provider.sign(claims, kid="other"),
    "no token": lambda provider, claims: "no.token.this",
    "empty": lambda provider, claims: "",
}


@pytest.mark.parametrize("name", FORGERIES)
async def test_a_token_that_is_not_right_proves_nothing(client, provider, name):
    provider.keys = [public("RS256", kid="k")]
    provider.forge = lambda claims: FORGERIES[name](provider, claims)
    with pytest.raises(ProviderRefused):
        await sign_in(client, provider)


async def test_a_token_that_is_right_proves_somebody(client, provider):
    """The control of the test above."""
    provider.keys = [public("RS256", kid="k")]
    provider.forge = lambda claims: provider.sign({**claims, "aud": ["farebox"], "azp": "farebox"}, kid="k")
    assert (await sign_in(client, provider)).subject == "an"


async def test_the_answer_of_another_issuer_is_not_redeemed(client, provider):
    url = await begin(client)
    answer = dict(parse_qsl(urlsplit(provider.consent(url, "an")).query))
    with pytest.raises(ProviderRefused):
        await client.redeem(
            "depot", {**answer, "iss": "https://evil.example"}, HANDSHAKE, redirect_uri=BACK, again=False
        )
    assert provider.redeemed == []
    await client.redeem("depot", {**answer, "iss": provider.url}, HANDSHAKE, redirect_uri=BACK, again=False)


@pytest.mark.parametrize(("ago", "is_taken"), [(None, True), (30, True), (3600, False)])
async def test_who_is_to_prove_anew_who_they_are_has_done_so_now(client, provider, ago, is_taken):
    assert "max_age=0" in await begin(client, again=True)
    provider.keys = [public("RS256", kid="k")]
    told = {} if ago is None else {"auth_time": int(time.time()) - ago}
    provider.forge = lambda claims: provider.sign({n: v for n, v in claims.items() if n != "auth_time"} | told, kid="k")
    if is_taken:
        assert (await sign_in(client, provider, again=True)).subject == "an"
    else:
        with pytest.raises(ProviderRefused):
            await sign_in(client, provider, again=True)


@pytest.mark.parametrize(
    "metadata",
    [
        {"issuer": "https://accounts.google.com"},
        {"issuer": None},
        {"token_endpoint": "http://login.example/token"},
        {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"},
        {"token_endpoint": 7},
    ],
    ids=str,
)
async def test_a_provider_that_describes_another_one_or_is_not_safe_is_not_asked(client, provider, metadata):
    provider.metadata = metadata
    with pytest.raises(ProviderUnreachable):
        await begin(client)


async def test_a_provider_out_of_order_is_told_and_asked_again_next_time(client, provider):
    provider.status = 503
    with pytest.raises(ProviderUnreachable):
        await begin(client)
    provider.status = 0
    assert (await sign_in(client, provider)).subject == "an"


async def test_a_provider_that_is_too_slow_is_not_waited_for(client, provider, monkeypatch):
    answer = dict(parse_qsl(urlsplit(provider.consent(await begin(client), "an")).query))
    monkeypatch.setattr(oidc, "PATIENCE_SECONDS", 0.2)
    provider.delay = 0.6
    with pytest.raises(ProviderUnreachable):
        await client.redeem("depot", answer, HANDSHAKE, redirect_uri=BACK, again=False)


async def test_a_provider_that_is_not_there_is_told():
    async def hang_up(_, writer):
        writer.close()

    server = await asyncio.start_server(hang_up, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    client = OidcClient({"depot": Provider("depot", "Depot", f"http://127.0.0.1:{port}{WELL_KNOWN}", "farebox", "s")})
    with pytest.raises(ProviderUnreachable):
        await begin(client)
    server.close()
    with pytest.raises(ProviderUnreachable):
        await begin(client)
    await client.dispose()


async def test_an_unknown_provider_is_none(client):
    with pytest.raises(UnknownProvider):
        await client.authorization_url("elsewhere", HANDSHAKE, redirect_uri=BACK, again=False)


DEPOT = {
    "name": "depot",
    "label": "Depot",
    "discovery": f"https://login.example{WELL_KNOWN}",
    "clientId": "farebox",
    "clientSecret": "secret",
}


def test_providers_come_from_settings(tmp_path):
    google = {"FAREBOX_GOOGLE_CLIENT_ID": "g", "FAREBOX_GOOGLE_CLIENT_SECRET": "s"}
    file = tmp_path / "providers.json"
    file.write_text(json.dumps([DEPOT]))
    for given in (json.dumps([DEPOT]), str(file)):
        providers = read_providers(load_settings(google | {"FAREBOX_OIDC_PROVIDERS": given}))
        assert [(p.name, p.label, p.client_id) for p in providers.values()] == [
            ("google", "Google", "g"),
            ("depot", "Depot", "farebox"),
        ]
        assert "secret" not in repr(providers["depot"])
    assert read_providers(load_settings({})) == {}


@pytest.mark.parametrize(
    "given",
    [
        "[",
        "no-such-file.json",
        json.dumps([{**DEPOT, "name": "Depot"}]),
        json.dumps([{**DEPOT, "discovery": f"http://login.example{WELL_KNOWN}"}]),
        json.dumps([{**DEPOT, "discovery": "https://login.example"}]),
        json.dumps([{**DEPOT, "clientSecret": ""}]),
        json.dumps([{**DEPOT, "more": 1}]),
        json.dumps([DEPOT, DEPOT]),
    ],
)
def test_what_cannot_be_a_provider_is_told_at_the_start(given):
    with pytest.raises(BadSetting):
        read_providers(load_settings({"FAREBOX_OIDC_PROVIDERS": given}))
