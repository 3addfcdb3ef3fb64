"""How much a stranger may do at once, and in which order."""

from __future__ import annotations

import gc

import pytest

from channels_chat import allowances
from channels_chat.allowances import Allowance, Crowd, Purse, Turns


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr("channels_chat.allowances.time.monotonic", lambda: now[0])
    monkeypatch.setattr(allowances, "_addresses", {})
    return now


def test_so_much_at_once_and_so_much_a_second(clock: list[float]) -> None:
    says = Allowance(3)
    assert [says.spend(3, 0.5) for _ in range(4)] == [0, 0, 0, 2]
    clock[0] += 2
    assert [says.spend(3, 0.5) for _ in range(2)] == [0, 2]


def test_what_was_put_off_comes_before_what_was_said_after_it(clock: list[float]) -> None:
    turns = Turns()
    assert turns.waits("one") == ""
    for cid in ("one", "two"):
        turns.put_off(cid, "later", 2)
    assert (turns.waits("three"), turns.waits("two"), turns.waits("one")) == ("later", "later", "")
    turns.over("one")
    assert (turns.waits("three"), turns.waits("two")) == ("later", "")
    clock[0] += 2 + allowances.GRACE  # its page has forgotten it
    assert turns.waits("three") == ""


def test_who_puts_off_thousands_fills_no_memory() -> None:
    turns = Turns()
    for number in range(1000):
        turns.put_off(str(number), "flood", 1)
    assert len(turns.owed) == Turns.MOST


def test_from_one_address_few_sessions_begin_at_once(clock: list[float]) -> None:
    for _ in range(int(allowances.NEWCOMERS)):
        allowances.admit("192.0.2.1")
    with pytest.raises(Crowd) as crowd:
        allowances.admit("192.0.2.1")
    assert crowd.value.wait == 1
    allowances.admit("192.0.2.2")
    clock[0] += 1
    allowances.admit("192.0.2.1")


def test_where_a_socket_comes_from(settings: pytest.FixtureRequest) -> None:
    forged = {"client": ["198.51.100.7", 1], "headers": [(b"x-forwarded-for", b"192.0.2.1, 192.0.2.2")]}
    assert allowances.address_of(forged) == "198.51.100.7"
    settings.TRUST_PROXY = 1  # type: ignore[attr-defined]
    assert allowances.address_of(forged) == "192.0.2.2"
    assert allowances.address_of({"client": ["2001:db8:1:2:3::4", 1]}) == "2001:db8:1:2::/64"
    assert allowances.address_of({"headers": [(b"x-forwarded-for", b"nonsense")]}) == "nonsense"


def test_a_greeting_in_a_crowd_waits_its_turn_and_none_too_long(clock: list[float]) -> None:
    crowd = Allowance(2)
    assert [crowd.reserve(2, 1, 3) for _ in range(7)] == [0, 0, 1, 2, 3, 4, 4]  # what is refused holds up nobody
    clock[0] += 1
    assert [crowd.reserve(2, 1, 3) for _ in range(2)] == [3, 4]


def test_one_visitor_is_one_however_they_connect(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(allowances, "_purses", allowances.Kept(3, allowances.FORGOTTEN_AFTER))
    first = Purse()
    assert allowances.purse_of(7, first) is first  # what the page had spent before counts on
    assert allowances.purse_of(7, Purse()) is first
    assert allowances.purse_of(8, Purse()) is not first
    clock[0] += allowances.FORGOTTEN_AFTER * 2
    for other in range(100, 110):
        allowances.purse_of(other, Purse())
    assert len(allowances._purses.rows) == 3  # whoever comes by the thousand fills no memory
    assert allowances.purse_of(7, Purse()) is first  # who is connected is known all the same
    known = id(first)
    del first
    gc.collect()
    assert id(allowances.purse_of(7, Purse())) == known  # and for a while after that
    clock[0] += allowances.FORGOTTEN_AFTER * 2
    allowances.purse_of(8, Purse())
    gc.collect()
    assert 7 not in allowances._shared


def test_an_office_of_a_thousand_chats(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """They come together, each with a few frames before they write; then each has their own allowance."""
    monkeypatch.setattr(allowances, "_crowds", allowances.Kept(10, allowances.FORGOTTEN_AFTER))
    crowd = allowances.crowd_of("192.0.2.1")
    burst, rate = allowances.CROWD, allowances.CROWD_PER_SECOND
    assert not any(crowd.reserve(burst, rate, allowances.PATIENCE) for _ in range(1000))
    assert not any(crowd.spend(burst, rate) for _ in range(3000))
    assert crowd.spend(burst, rate) > 0
    assert allowances.crowd_of("192.0.2.2").spend(burst, rate) == 0
    purses = [allowances.purse_of(one, Purse()) for one in range(1, 1001)]
    assert not any(one.says.spend(allowances.SAYS, allowances.SAYS_PER_SECOND) for one in purses)
