"""Private networks are refused, however they are written."""

import socket
import time
from contextlib import suppress
from typing import Any

import pytest
from django.test import override_settings

from lib import net
from tests.servers import dripping


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1", "224.0.0.1",
        "::1", "::", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "ff02::1",
        "64:ff9b:1::7f00:1", "64:ff9b:1::8.8.8.8", "fec0::1", "feff::1", "::127.0.0.1", "::8.8.8.8",
    ],
)  # fmt: skip
def test_private_addresses(address: str) -> None:
    assert not net.is_public(address)


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert net.is_public(address)


@override_settings(ALLOW_PRIVATE_NETWORKS=False)
def test_a_name_that_leads_inside_is_refused_before_any_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    def connected(*_arguments: Any, **_options: Any) -> Any:
        raise AssertionError("connected")

    monkeypatch.setattr(socket, "create_connection", connected)
    for host in ("localhost", "127.0.0.1", "[::1]".strip("[]"), "2130706433", "0x7f.1"):
        with pytest.raises(net.Refused, match="private network"):
            net.connect(host, 25, 1)


@override_settings(ALLOW_PRIVATE_NETWORKS=False)
def test_the_checked_address_is_the_one_connected_to(monkeypatch: pytest.MonkeyPatch) -> None:
    answers = [["93.184.216.34", "10.0.0.1"], ["127.0.0.1"]]
    seen = []

    def resolved(_host: str, port: int, **_options: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in answers.pop(0)]

    def connected(target: tuple[str, int], **_options: Any) -> Any:
        seen.append(target)
        return object()

    monkeypatch.setattr(socket, "getaddrinfo", resolved)
    monkeypatch.setattr(socket, "create_connection", connected)
    net.connect("rebinding.example", 25, 1)
    assert seen == [("93.184.216.34", 25)]


def test_a_long_list_of_silent_addresses_is_not_tried_to_its_end(
    settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever runs a name's DNS could hold us for as long as they like."""
    clock, tried = [0.0], []

    def silent(address: tuple[str, int], timeout: float) -> socket.socket:
        tried.append(address[0])
        clock[0] += timeout
        raise TimeoutError

    many = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"8.8.{number}.8", 443)) for number in range(200)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *args, **kwargs: many)
    monkeypatch.setattr(socket, "create_connection", silent)
    monkeypatch.setattr("lib.net.time.monotonic", lambda: clock[0])
    with pytest.raises(TimeoutError):
        net.connect("many.example", 443, 5.0)
    assert len(tried) == 4


@pytest.mark.parametrize("host", ["mail..example.com", ".example.com", "a" * 64 + ".example.com", "a\0b"])
def test_what_cannot_be_a_name_is_an_unknown_one(host: str) -> None:
    with pytest.raises(socket.gaierror):
        net.resolve(host, 25)


def read_to_its_end(plain: socket.socket) -> None:
    with plain, suppress(ConnectionError):
        while plain.recv(1000):
            pass


class TestDeadlines:
    def test_the_nearest_of_several_cuts(self) -> None:
        with dripping.running(b"", b"x") as port, net.cut_after(60) as outer:
            with net.cut_after(0.3) as inner:
                plain = net.connect("127.0.0.1", port, 30)
                read_to_its_end(plain)
            assert (inner.cut, outer.cut) == (True, False)

    def test_an_outer_one_holds_within_an_inner_one_and_after_it(self) -> None:
        with dripping.running(b"", b"x") as port, net.cut_after(0.5) as outer:
            with net.cut_after(60) as inner:
                first = net.connect("127.0.0.1", port, 30)
            second = net.connect("127.0.0.1", port, 30)
            for plain in (first, second):
                read_to_its_end(plain)
            assert (inner.cut, outer.cut) == (False, True)
            with pytest.raises(TimeoutError):
                net.connect("127.0.0.1", port, 30)

    def test_outside_nothing_is_cut(self) -> None:
        with dripping.running(b"", b"x") as port:
            with net.cut_after(0.01) as deadline:
                plain = socket.create_connection(("127.0.0.1", port))
                while not deadline.cut:
                    time.sleep(0.01)
            other = net.connect("127.0.0.1", port, 30)
            assert plain.recv(1)
            assert other.recv(1)
            plain.close()
            other.close()

    def test_connecting_ends_with_it(self, monkeypatch: pytest.MonkeyPatch) -> None:
        given: list[float] = []

        def silent(_target: Any, timeout: float) -> Any:
            given.append(timeout)
            raise TimeoutError

        monkeypatch.setattr(socket, "create_connection", silent)
        with net.cut_after(5), pytest.raises(TimeoutError):
            net.connect("127.0.0.1", 25, 60)
        assert 0 < given[0] <= 5
