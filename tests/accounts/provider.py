"""An OpenID provider over real HTTP: oidc-provider-mock, made strict about PKCE, and able to misbehave when told."""

import base64
import hashlib
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import flask
import httpx
import jwt
import oidc_provider_mock
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from werkzeug.serving import make_server

from farebox.core.tls import authorities

WELL_KNOWN = "/.well-known/openid-configuration"
RSA_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KEYS: dict[str, tuple[Any, Callable[[Any], str]]] = {
    "RS256": (RSA_KEY, RSAAlgorithm.to_jwk),
    "ES256": (ec.generate_private_key(ec.SECP256R1()), ECAlgorithm.to_jwk),
    "EdDSA": (ed25519.Ed25519PrivateKey.generate(), OKPAlgorithm.to_jwk),
}


class TestProvider:
    """What a test sees of the provider.

    Attributes:
        forge: makes another ID token of the claims of the right one.
        keys: published instead of the provider's own, when not `None`.
        metadata: put over what the discovery document says.
        status: answers everything with this status, when not 0.
        delay: seconds before the token endpoint answers.
        redeemed: bodies of the requests to the token endpoint.
        hits: paths that were asked for.
        asked_for_token: set when the token endpoint was.
    """

    __test__ = False

    def __init__(self, url: str) -> None:
        self.url = url
        self.reset()

    def reset(self) -> None:
        self.forge: Callable[[dict[str, Any]], str] | None = None
        self.keys: list[dict[str, Any]] | None = None
        self.metadata: dict[str, Any] = {}
        self.status = 0
        self.delay = 0.0
        self.redeemed: list[dict[str, str]] = []
        self.hits: list[str] = []
        self.asked_for_token = threading.Event()
        self.challenges: dict[str, str] = {}

    @property
    def discovery(self) -> str:
        return self.url + WELL_KNOWN

    def knows(self, subject: str, **claims: Any) -> None:
        """Somebody with an account there."""
        httpx.put(f"{self.url}/users/{subject}", json=claims, verify=authorities()).raise_for_status()

    def consent(self, authorization_url: str, subject: str) -> str:
        """Somebody signs in there and agrees: where the browser is sent back to."""
        return self._answer(authorization_url, {"sub": subject})

    def deny(self, authorization_url: str) -> str:
        """Somebody cancels there. The mock forgets the state, which a provider must send."""
        state = parse_qs(urlsplit(authorization_url).query)["state"][0]
        return self._answer(authorization_url, {"action": "deny"}) + f"&state={state}"

    def sign(self, claims: dict[str, Any], algorithm: str = "RS256", **header: Any) -> str:
        """A token signed by a key of `KEYS`."""
        return jwt.encode(claims, KEYS[algorithm][0], algorithm, headers=header)

    def _answer(self, authorization_url: str, form: dict[str, str]) -> str:
        answer = httpx.post(authorization_url, data=form, verify=authorities())
        assert answer.status_code == 302, answer.text
        return str(answer.headers["location"])


def public(algorithm: str, **members: Any) -> dict[str, Any]:
    """A public key of `KEYS`, as providers publish it."""
    private, to_jwk = KEYS[algorithm]
    return {**json.loads(to_jwk(private.public_key())), **members}


@contextmanager
def running_provider() -> Iterator[TestProvider]:
    app = oidc_provider_mock.app(require_nonce=True)
    server = make_server("127.0.0.1", 0, app, threaded=True)
    provider = TestProvider(f"http://127.0.0.1:{server.server_port}")
    app.before_request(lambda: _before(provider))
    app.after_request(lambda response: _after(provider, response))
    thread = threading.Thread(target=lambda: server.serve_forever(poll_interval=0.05))
    thread.start()
    yield provider
    server.shutdown()
    thread.join()
    server.server_close()


def _before(provider: TestProvider) -> Any:
    request = flask.request
    provider.hits.append(request.path)
    if provider.status and not request.path.startswith("/users/"):
        return flask.make_response("out of order", provider.status)
    if request.path == "/oauth2/authorize":
        is_shown = request.args.get("code_challenge_method") == "S256" and request.args.get("code_challenge")
        return None if is_shown else flask.make_response("no PKCE", 400)
    if request.path == "/oauth2/token":
        provider.asked_for_token.set()
        time.sleep(provider.delay)
        form = request.form.to_dict()
        provider.redeemed.append(form)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        shown = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if provider.challenges.get(form.get("code", "")) != shown:
            return flask.make_response({"error": "invalid_grant"}, 400)
    return None


def _after(provider: TestProvider, response: flask.Response) -> flask.Response:
    request = flask.request
    if request.path == "/oauth2/authorize" and "location" in response.headers:
        [code] = parse_qs(urlsplit(response.headers["location"]).query).get("code", [""])
        provider.challenges[code] = request.args["code_challenge"]
    if request.path == WELL_KNOWN and response.is_json:
        response.set_data(json.dumps({**(response.json or {}), **provider.metadata}))
    if request.path == "/jwks" and provider.keys is not None:
        response.set_data(json.dumps({"keys": provider.keys}))
    if request.path == "/oauth2/token" and provider.forge and response.status_code == 200:
        answer = dict(response.json or {})
        claims = jwt.decode(answer["id_token"], options={"verify_signature": False})
        response.set_data(json.dumps({**answer, "id_token": provider.forge(claims)}))
    return response
