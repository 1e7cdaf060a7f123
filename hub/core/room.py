"""How much of a disk telemetry may take: never what the journal beside it needs. Pure."""

from __future__ import annotations


def held(before: bool, free_bytes: int, reserve_bytes: int) -> bool:
    """Whether telemetry is held: from below the reserve until a quarter more than it is free again."""
    return free_bytes < (reserve_bytes + reserve_bytes // 4 if before else reserve_bytes)
