"""A Dovecot of our own: IMAP (with STARTTLS and TLS) and LMTP in a temporary folder.

Every mailbox opens with one password, unless `set_password` gave it another, or with a token of tests/servers/oauth.
"""

import contextlib
import pwd
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from imapclient import IMAPClient
from imapclient.exceptions import LoginError

from tests.servers import certificates
from tests.servers.ports import folder, free_port, needs, stop, wait_for

PASSWORD = "secret"
CONFIG = """
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/log
protocols = imap lmtp
listen = 127.0.0.1
ssl = yes
ssl_cert = <{base}/cert.pem
ssl_key = <{base}/key.pem
disable_plaintext_auth = no
first_valid_uid = 1
mail_location = maildir:{base}/mail/%n
auth_mechanisms = plain login xoauth2
default_internal_user = dovecot
default_login_user = dovenull
mail_fsync = never
passdb {{
  driver = oauth2
  mechanisms = xoauth2
  args = {base}/oauth2.conf
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  args = {base}/passwords
}}
passdb {{
  driver = passwd-file
  mechanisms = plain login
  deny = yes
  args = {base}/passwords
}}
passdb {{
  driver = static
  mechanisms = plain login
  args = password={password}
}}
userdb {{
  driver = static
  args = uid=mail gid=mail home={base}/home/%n allow_all_users=yes
}}
service imap-login {{
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
service lmtp {{
  inet_listener lmtp {{
    address = 127.0.0.1
    port = {lmtp}
  }}
}}
auth_failure_delay = 0
service anvil {{
  client_limit = 1000
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
plugin {{
  acl = vfile
}}
protocol imap {{
  mail_plugins = acl imap_acl
}}
protocol lmtp {{
  postmaster_address = postmaster@example.com
  auth_username_format = %n
}}
"""

OAUTH2 = """
introspection_mode = post
introspection_url = {url}/introspect
username_attribute = email
active_attribute = active
active_value = true
"""


@dataclass
class Dovecot:
    """Where it listens. A mailbox of any name exists; its owner logs in with PASSWORD."""

    base: Path
    imap: int
    imaps: int
    lmtp: int

    @contextlib.contextmanager
    def client(self, user: str) -> Iterator[IMAPClient]:
        """The mailbox as its owner's mail program sees it."""
        with IMAPClient("127.0.0.1", self.imap, ssl=False) as client:
            client.login(user, PASSWORD)
            client.select_folder("INBOX")
            yield client

    def allow(self, user: str, rights: str) -> None:
        """Whoever logs in from now on as the owner of this mailbox has these rights alone in its INBOX (RFC 4314)."""
        path = self.base / "mail" / user / "dovecot-acl"
        path.write_text(f"owner {rights}\n")
        path.chmod(0o644)

    def set_password(self, user: str, password: str) -> None:
        """From now on this mailbox opens with this password alone, and every other one with PASSWORD."""
        (self.base / "passwords").write_text(f"{user}:{{PLAIN}}{password}\n" if password != PASSWORD else "")
        deadline = time.monotonic() + 10
        while not self._opens(user, password):  # Dovecot looks at the file once a second
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def _opens(self, user: str, password: str) -> bool:
        with IMAPClient("127.0.0.1", self.imap, ssl=False) as client:
            try:
                client.login(user, password)
            except LoginError:
                return False
            return True

    def append(self, user: str, *mails: bytes) -> None:
        """Put mails into the mailbox, unread."""
        with self.client(user) as client:
            for mail in mails:
                client.append("INBOX", mail)

    def mails(self, user: str) -> list[bytes]:
        """Every mail in the inbox, in the order of arrival; nothing is marked."""
        with self.client(user) as client:
            found = client.fetch(client.search(), ["BODY.PEEK[]"]) if client.search() else {}
            return [found[uid][b"BODY[]"] for uid in sorted(found)]


@contextlib.contextmanager
def running(oauth: str) -> Iterator[Dovecot]:
    """A Dovecot while the block runs, which asks `oauth` (a URL) about tokens; skips where there is none."""
    program = needs("dovecot", "dovecot-imapd dovecot-lmtpd")
    with folder("rt-dovecot-") as base:
        certificates.make(base)
        for name in ("run", "state", "home", "mail"):
            (base / name).mkdir()
        owner = pwd.getpwnam("mail")
        for name in ("home", "mail"):
            (base / name).chmod(0o755)
            subprocess.run(["chown", f"{owner.pw_uid}:{owner.pw_gid}", base / name], check=True)
        server = Dovecot(base, free_port(), free_port(), free_port())
        (base / "oauth2.conf").write_text(OAUTH2.format(url=oauth))
        (base / "passwords").write_text("")
        for name in ("oauth2.conf", "passwords"):
            (base / name).chmod(0o644)
        config = base / "dovecot.conf"
        config.write_text(
            CONFIG.format(base=base, password=PASSWORD, imap=server.imap, imaps=server.imaps, lmtp=server.lmtp)
        )
        process = subprocess.Popen([program, "-F", "-c", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            wait_for(server.imap, process)
            wait_for(server.lmtp, process)
            yield server
        finally:
            stop(process)
