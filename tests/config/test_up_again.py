"""`manage.py up` after it died: in a file of its own, so that it runs beside the other tests of a whole Rabta."""

import time

import pytest

from tests.config.houses import other
from tests.instance import Instance, kill

__all__ = ["other"]

pytestmark = [pytest.mark.servers, pytest.mark.timeout(400)]


def test_it_starts_again_after_each_kind_of_death(other: Instance) -> None:
    instance = other.start()

    assert instance.supervisor is not None
    instance.supervisor.kill()
    assert instance.process is not None
    assert instance.process.wait(20) == 1
    assert "supervisor was killed" in instance.output
    assert not instance.leftovers()

    instance.start()
    instance.process.kill()  # the rest notices
    instance.start()  # and is waited for

    kill(instance.tree())
    instance.start()
    assert instance.answers()

    began = time.monotonic()
    assert instance.stop() == 0
    assert time.monotonic() - began < 10
    assert not instance.leftovers()
