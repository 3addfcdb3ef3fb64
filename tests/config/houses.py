"""Whole installations of Rabta that tests of `manage.py up` start and end."""

import signal
import subprocess
from collections.abc import Iterator

import pytest

from tests.accidents.house import installed
from tests.instance import Instance, until


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    """Another data folder, of an installation without a demo; tests start and end it one after the other."""
    instance = Instance(tmp_path_factory.mktemp("other") / "data", options=["--no-demo"])
    subprocess.run(["cp", "--archive", str(installed()), str(instance.data_dir)], check=True)
    yield instance
    if instance.process is not None:
        instance.stop(signal.SIGKILL)
    until(lambda: not instance.leftovers(), "nothing runs any more")
