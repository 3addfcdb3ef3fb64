"""compose.yaml, and the systemd unit of docs/operations.md, run the Procfile's processes by the very commands there."""

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import settings

from config import supervision

SERVICES: dict[str, Any] = yaml.safe_load((settings.BASE_DIR / "compose.yaml").read_text())["services"]


@pytest.mark.parametrize("name", sorted(supervision.procfile()))
def test_each_process_has_its_service(name: str, tmp_path: Path) -> None:
    assert run([str(word).replace("$$", "$") for word in SERVICES[name]["command"]], tmp_path) == meant(name)


@pytest.mark.parametrize("name", sorted(supervision.procfile()))
def test_the_systemd_unit_runs_each_process(name: str, tmp_path: Path) -> None:
    guide = (settings.BASE_DIR / "docs" / "operations.md").read_text()
    [line] = re.findall(r"^ExecStart=(.+)$", guide, re.MULTILINE)
    assert run(shlex.split(line.replace("$$", "$").replace("%i", name)), tmp_path) == meant(name)
    assert f"rabta@{name}" in guide


def run(command: list[str], tmp_path: Path) -> str:
    """What a command ends in, told by a stand-in for `env`, with which each line of the Procfile begins."""
    told = tmp_path / "env"
    told.write_text('#!/bin/sh\necho "$@"\n')
    told.chmod(0o755)
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "${" not in done.stdout
    return done.stdout


def meant(name: str) -> str:
    line = supervision.procfile()[name].removeprefix("env ")
    environment = {"HOST": "0.0.0.0", "PATH": os.environ["PATH"]}
    command = ["sh", "-c", f'echo "{line}"']
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_postfix_on_this_machine_reaches_what_mail_listens_on() -> None:
    mail = SERVICES["mail"]
    assert mail["environment"]["LMTP_IN_PORT"] == "2524"
    assert set(mail["ports"]) == {f"127.0.0.1:{port}:{port}" for port in (2524, 2525)}
    guide = (settings.BASE_DIR / "docs" / "operations.md").read_text()
    assert "lmtp:inet:[127.0.0.1]:2524" in guide and "smtp:[127.0.0.1]:2525" in guide


def test_only_one_clock_and_nothing_open_to_the_world() -> None:
    assert [name for name, service in SERVICES.items() if "beat" in str(service.get("command"))] == ["beat"]
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
