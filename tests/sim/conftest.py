"""The real recorded house, which lies beside the repository and is never copied into it."""

from __future__ import annotations

from pathlib import Path

import pytest

RECORDED_HOUSE = Path(__file__).parents[3] / "shared" / "data" / "kasteren_house_a_contacts.txt"


@pytest.fixture
def recorded_house() -> Path:
    """28 days of one apartment; a missing file fails the test, it never skips it."""
    assert RECORDED_HOUSE.is_file(), "the recorded house is needed beside the checkout: ../shared/data (see README)"
    return RECORDED_HOUSE
