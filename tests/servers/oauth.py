"""Google and Microsoft as a mailbox meets them: a consent page, a token endpoint, and introspection for Dovecot."""

import base64
import contextlib
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

CLIENT = ("client-id", "client-secret")


@dataclass
class OAuthServer:
    """What it gives and gave. `account` is whoever sits at the consent page; `answers` replace the next answers of the
    token endpoint: (status, JSON)."""

    port: int = 0
    account: str = "support@rabta.example"
    expires_in: int = 3600
    more: dict[str, Any] = field(default_factory=dict)  # in each answer of the token endpoint
    answers: list[tuple[int, dict[str, Any]]] = field(default_factory=list)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)  # token -> account
    refresh: dict[str, str] = field(default_factory=dict)
    requests: list[dict[str, str]] = field(default_factory=list)  # to the token endpoint
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reset(self) -> None:
        """As it was at the start, under the same port."""
        fresh = OAuthServer(self.port)
        for name in ("account", "expires_in", "more", "answers", "codes", "access", "refresh", "requests"):
            setattr(self, name, getattr(fresh, name))

    def consented(self, query: dict[str, str]) -> str:
        """The address that the consent page sends the browser to."""
        code = secrets.token_hex(8)
        self.codes[code] = query
        return f"{query['redirect_uri']}?{urlencode({'code': code, 'state': query['state']})}"

    def token(self, asked: dict[str, str]) -> tuple[int, dict[str, Any]]:
        with self.lock:
            self.requests.append(asked)
            if self.answers:
                return self.answers.pop(0)
            if (asked.get("client_id"), asked.get("client_secret")) != CLIENT:
                return 401, {"error": "invalid_client", "error_description": "The OAuth client was not found."}
            if asked.get("grant_type") == "refresh_token":
                account = self.refresh.get(asked["refresh_token"])
                if account is None:
                    return 400, {"error": "invalid_grant", "error_description": "Token has been expired or revoked."}
                return 200, self._issue(account, {})
            begun = self.codes.pop(asked.get("code", ""), None)
            challenge = base64.urlsafe_b64encode(hashlib.sha256(asked.get("code_verifier", "").encode()).digest())
            if begun is None or begun["code_challenge"] != challenge.rstrip(b"=").decode():
                return 400, {"error": "invalid_grant", "error_description": "Malformed auth code."}
            if begun["redirect_uri"] != asked.get("redirect_uri"):
                return 400, {"error": "redirect_uri_mismatch"}
            lasting = secrets.token_hex(16)
            self.refresh[lasting] = self.account
            return 200, self._issue(self.account, {"refresh_token": lasting, "scope": begun["scope"]})

    def _issue(self, account: str, more: dict[str, Any]) -> dict[str, Any]:
        access = secrets.token_hex(16)
        self.access[access] = account
        claims = base64.urlsafe_b64encode(json.dumps({"email": account}).encode()).rstrip(b"=").decode()
        answer = {"access_token": access, "token_type": "Bearer", "expires_in": self.expires_in}
        return {**answer, "id_token": f"e30.{claims}.x", **more, **self.more}


def _handler(server: OAuthServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            query = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
            self.send_response(302)
            self.send_header("Location", server.consented(query))
            self.end_headers()

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode()
            asked = {name: values[0] for name, values in parse_qs(body).items()}
            if self.path.startswith("/introspect"):
                account = server.access.get(asked.get("token", ""))
                status, answer = 200, {"active": account is not None, "email": account or ""}
            else:
                status, answer = server.token(asked)
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    return Handler


@contextlib.contextmanager
def running() -> Iterator[OAuthServer]:
    """It serves while the block runs."""
    server = OAuthServer()
    listening = ThreadingHTTPServer(("127.0.0.1", 0), _handler(server))
    server.port = listening.server_address[1]
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        listening.shutdown()
        listening.server_close()
