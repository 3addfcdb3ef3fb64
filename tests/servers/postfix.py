"""A Postfix instance of our own in a temporary folder: takes mail by SMTP and hands it on as its transports say."""

import contextlib
import pwd
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.servers import certificates
from tests.servers.ports import folder, free_port, needs, stop, wait_for

MAIN = """
compatibility_level = 3.6
queue_directory = {base}/queue
data_directory = {base}/data
command_directory = /usr/sbin
daemon_directory = {daemons}
shlib_directory = {shlib}
mail_owner = postfix
setgid_group = postdrop
maillog_file = {base}/log
maillog_file_prefixes = /tmp
myhostname = mx.example.net
mydestination =
mynetworks = 127.0.0.0/8
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtp_address_preference = ipv4
alias_maps =
alias_database =
local_recipient_maps =
transport_maps = texthash:{base}/transport
default_transport = error:no route
smtpd_recipient_restrictions = permit_mynetworks, reject
smtpd_tls_cert_file = {base}/cert.pem
smtpd_tls_key_file = {base}/key.pem
smtpd_tls_security_level = may
smtpd_tls_received_header = yes
smtpd_peername_lookup = no
smtp_host_lookup = native
smtputf8_enable = yes
message_size_limit = 41943040
mailbox_size_limit = 0
minimal_backoff_time = 1s
maximal_backoff_time = 2s
queue_run_delay = 1s
bounce_queue_lifetime = 1h
"""
MASTER = """
127.0.0.1:{port} inet n - n - - smtpd
pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 1 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
lmtp unix - - n - - lmtp
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
{pipe}
"""


@dataclass
class Postfix:
    """Submit to 127.0.0.1:`port` (STARTTLS offered, certificate in `base`/cert.pem)."""

    base: Path
    port: int

    def queued(self) -> str:
        """What is still in the queue, as `postqueue -p` prints it."""
        done = subprocess.run(["postqueue", "-c", self.base, "-p"], capture_output=True, text=True, check=True)
        return done.stdout

    def flush(self) -> None:
        """Try everything in the queue again now."""
        subprocess.run(["postqueue", "-c", self.base, "-f"], check=True)

    def log(self) -> str:
        path = self.base / "log"
        return path.read_text(errors="replace") if path.exists() else ""

    def wait_for_log(self, words: str, seconds: float = 30) -> None:
        """Return when the log has these words."""
        deadline = time.monotonic() + seconds
        while words not in self.log():
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.05)

    def wait_until_empty(self, seconds: float = 20) -> None:
        """Return when everything has left the queue; fail with the log otherwise."""
        deadline = time.monotonic() + seconds
        while "Mail queue is empty" not in self.queued():
            assert time.monotonic() < deadline, self.log()[-3000:]
            time.sleep(0.05)


@contextlib.contextmanager
def running(
    transports: Mapping[str, str], *, pipe: tuple[str, Path] | None = None, certificate: bool = True
) -> Iterator[Postfix]:
    """A Postfix while the block runs; skips where there is none.

    `transports` maps an address or domain to a next hop (`smtp:[127.0.0.1]:2525`, `pipe`…). `pipe` is (user, program)
    of the transport of that name.
    """
    program = needs("postfix", "postfix")
    with folder("rt-postfix-") as base:
        certificates.make(base)
        daemons = Path("/usr/lib/postfix/sbin")
        server = Postfix(base, free_port())
        (base / "data").mkdir()
        (base / "queue").mkdir()
        shutil.chown(base / "data", "postfix", pwd.getpwnam("postfix").pw_gid)
        (base / "main.cf").write_text(MAIN.format(base=base, daemons=daemons, shlib=daemons.parent))
        line = f"pipe unix - n n - 4 pipe flags=Rq user={pipe[0]} argv={pipe[1]}" if pipe else ""
        (base / "master.cf").write_text(MASTER.format(port=server.port, pipe=line))
        (base / "transport").write_text("".join(f"{who} {hop}\n" for who, hop in transports.items()))
        shutil.copy("/etc/postfix/dynamicmaps.cf", base) if Path("/etc/postfix/dynamicmaps.cf").exists() else None
        done = subprocess.run([program, "-c", base, "check"], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        process = subprocess.Popen(
            [str(daemons / "master"), "-c", base, "-d"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            wait_for(server.port, process)
            yield server
        finally:
            stop(process)
