"""compose.yaml runs the processes of the Procfile, by the very commands that stand there."""

import os
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
    """The service's command, with a stand-in for `env` that tells what it was to run."""
    told = tmp_path / "env"
    told.write_text('#!/bin/sh\necho "$@"\n')
    told.chmod(0o755)
    command = [str(word).replace("$$", "$") for word in SERVICES[name]["command"]]
    done = subprocess.run(
        command,
        cwd=settings.BASE_DIR,
        env={"PATH": f"{tmp_path}:{os.environ['PATH']}", "HOST": "0.0.0.0"},
        capture_output=True,
        text=True,
        check=True,
    )
    line = supervision.procfile()[name].removeprefix("env ")
    expected = subprocess.run(
        ["sh", "-c", f'echo "{line}"'],
        env={"HOST": "0.0.0.0", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
    )
    assert done.stdout == expected.stdout
    assert "${" not in done.stdout


def test_only_one_clock_and_nothing_open_to_the_world() -> None:
    assert [name for name, service in SERVICES.items() if "beat" in str(service.get("command"))] == ["beat"]
    ports = [port for service in SERVICES.values() for port in service.get("ports", ())]
    assert ports and all(port.startswith("127.0.0.1:") for port in ports)
