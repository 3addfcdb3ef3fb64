"""A DNS server of our own on loopback: answers from a table, errs on request, or stays silent."""

import contextlib
import socket
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

SERVFAIL, SILENT, GARBAGE = "servfail", "silent", "garbage"
Zone = Mapping[str, list[str] | str]  # name -> TXT records, "MX 10 host" among them; or one of the faults above


@dataclass
class DnsServer:
    """Where it listens, and which names it was asked for."""

    address: str
    asked: list[str] = field(default_factory=list)


@contextlib.contextmanager
def running(zone: Zone) -> Iterator[DnsServer]:
    """Serve `zone` while the block runs. Names that are not in it do not exist."""
    known = {name.lower(): values for name, values in zone.items()}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        server = DnsServer(f"127.0.0.1:{listener.getsockname()[1]}")
        ended = threading.Event()

        def serve() -> None:
            while not ended.is_set():
                wire, client = listener.recvfrom(65535)
                if wire and not ended.is_set():
                    answer = _answer(wire, known, server)
                    if answer is not None:
                        listener.sendto(answer, client)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            ended.set()
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
                last.sendto(b"x", listener.getsockname())
            thread.join(5)


def _answer(wire: bytes, zone: Zone, server: DnsServer) -> bytes | None:
    asked = dns.message.from_wire(wire)
    question = asked.question[0]
    name = question.name.to_text(omit_final_dot=True).lower()
    server.asked.append(name)
    values = zone.get(name)
    if values == SILENT:
        return None
    answer = dns.message.make_response(asked)
    if values == GARBAGE:
        return answer.to_wire()[:5]
    if values == SERVFAIL:
        answer.set_rcode(dns.rcode.SERVFAIL)
    elif values is None:
        answer.set_rcode(dns.rcode.NXDOMAIN)
    else:
        mx = question.rdtype == dns.rdatatype.MX
        found = [one.removeprefix("MX ") if mx else quoted(one) for one in values if one.startswith("MX ") == mx]
        if found:
            answer.answer.append(dns.rrset.from_text(question.name, 60, "IN", question.rdtype, *found))
    return answer.to_wire(max_size=65000)


def quoted(text: str) -> str:
    """A TXT record as zone files write it: in strings of at most 255 bytes."""
    raw = text.encode()
    parts = [raw[at : at + 255] for at in range(0, len(raw), 255)] or [b""]
    return " ".join('"' + "".join(f"\\{byte:03d}" for byte in part) + '"' for part in parts)
