"""The other half of the thousand histories of `test_oracle.py`: tests of a file run one after the other."""

from __future__ import annotations

import pytest

from tests.reports.test_oracle import agree

pytestmark = pytest.mark.django_db


@pytest.mark.timeout(600)
def test_the_engine_agrees_with_the_oracle_again() -> None:
    agree(26, 2)
