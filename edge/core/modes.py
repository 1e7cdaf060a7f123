"""What a partition is: disarmed, or armed in one of two ways."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """A partition's arming state."""

    DISARMED = "disarmed"
    ARMED_HOME = "armed_home"
    ARMED_AWAY = "armed_away"
