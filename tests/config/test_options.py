"""What the options of `up` make of the environment."""

import socket
from pathlib import Path

import pytest

from config import options


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("PORT", "SMTP_IN_PORT", "SANDBOX_SMTP_PORT", "DATABASE_URL", "DATA_DIR", "DEMO"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(options, "moved", [])


def test_options_become_settings(tmp_path: Path) -> None:
    found = options.environment(["--port", "8123", "--data", str(tmp_path / "x"), "--no-demo"])
    assert found["PORT"] == "8123"
    assert found["DATA_DIR"] == str(tmp_path / "x")
    assert found["DEMO"] == "0"


def test_a_database_of_ones_own_gets_no_demo_people(monkeypatch: pytest.MonkeyPatch) -> None:
    assert options.environment([])["DEMO"] == "1"
    monkeypatch.setenv("DATABASE_URL", "postgresql://db.example/rabta")
    assert options.environment([])["DEMO"] == "0"


def test_a_default_port_steps_aside_and_one_asked_for_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        monkeypatch.setattr(options, "PORTS", {"PORT": port})
        taken = int(options.environment([])["PORT"])
        assert taken > port
        assert options.moved == [(port, taken)]
        assert options.environment(["--port", str(port)])["PORT"] == str(port)
        monkeypatch.setenv("PORT", str(port))
        assert "PORT" not in options.environment([])
