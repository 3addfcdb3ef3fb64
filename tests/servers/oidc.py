"""A small OpenID Connect provider on loopback: discovery, keys, codes with PKCE, id_tokens signed by RS256.

What it claims about the person, and how it misbehaves, is set by the test.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa

CLIENT, SECRET = "rabta", "only-for-tests"


def new_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


@dataclass
class Issuer:
    """`claims` go into the next id_token; `forge` may change claims, header and key before it is signed."""

    url: str = ""
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    forge: Callable[[dict[str, Any], dict[str, Any]], str] | None = None
    asked: list[dict[str, str]] = field(default_factory=list)  # what came to /authorize
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    key: rsa.RSAPrivateKey = field(default_factory=new_key)

    def sign(
        self, claims: dict[str, Any], headers: dict[str, Any] | None = None, key: Any = None, how: str = "RS256"
    ) -> str:
        return jwt.encode(claims, key or self.key, algorithm=how, headers=headers or {"kid": "one"})

    def id_token(self, request: dict[str, str]) -> str:
        now = int(time.time())
        claims = {
            "iss": self.url,
            "aud": CLIENT,
            "iat": now,
            "exp": now + 300,
            "nonce": request.get("nonce", ""),
            **self.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        return self.forge(claims, request) if self.forge else self.sign(claims)


class Handler(BaseHTTPRequestHandler):
    issuer: Issuer

    def do_GET(self) -> None:
        path, asked = urlsplit(self.path).path, {k: v[0] for k, v in parse_qs(urlsplit(self.path).query).items()}
        if path == "/.well-known/openid-configuration":
            named = {name: f"{self.issuer.url}/{name}" for name in ("authorize", "token", "keys", "userinfo")}
            self.say(
                {
                    "issuer": self.issuer.url,
                    "authorization_endpoint": named["authorize"],
                    "token_endpoint": named["token"],
                    "jwks_uri": named["keys"],
                    "userinfo_endpoint": named["userinfo"],
                    **self.issuer.discovery,
                }
            )
        elif path == "/keys":
            public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(self.issuer.key.public_key()))
            self.say({"keys": [{**public, "kid": "one", "use": "sig", "alg": "RS256"}]})
        elif path == "/authorize":
            self.issuer.asked.append(asked)
            code = secrets.token_urlsafe(16)
            self.issuer.codes[code] = asked
            self.send_response(302)
            self.send_header(
                "Location", asked["redirect_uri"] + "?" + urlencode({"code": code, "state": asked["state"]})
            )
            self.end_headers()
        elif path == "/userinfo":
            self.say(self.issuer.userinfo)
        else:
            self.say({}, 404)

    def do_POST(self) -> None:
        sent = {k: v[0] for k, v in parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode()).items()}
        request = self.issuer.codes.pop(sent.get("code", ""), None)  # a code works once
        digest = hashlib.sha256(sent.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if (
            request is None
            or request.get("code_challenge_method") != "S256"
            or request.get("code_challenge") != challenge
            or request["redirect_uri"] != sent.get("redirect_uri")
            or (sent.get("client_id"), sent.get("client_secret")) != (CLIENT, SECRET)
        ):
            self.say({"error": "invalid_grant"}, 400)
            return
        token = {"access_token": "opaque", "token_type": "Bearer", "expires_in": 300}
        self.say({**token, "id_token": self.issuer.id_token(request)})

    def say(self, what: Any, status: int = 200) -> None:
        body = json.dumps(what).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: Any) -> None:
        """Quiet."""


@contextlib.contextmanager
def running() -> Iterator[Issuer]:
    issuer = Issuer()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Bound", (Handler,), {"issuer": issuer}))
    issuer.url = f"http://127.0.0.1:{server.server_address[1]}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
