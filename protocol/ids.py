"""Identifiers as they appear in topics, records and commands."""

from __future__ import annotations

import re

ID_ALLOWED = "1 to 63 of a-z, 0-9 and '-', the first not '-'"
_ID = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


def is_id(text: str) -> bool:
    """Say whether `text` may name an area, gateway, zone, household, group or anything else of ours."""
    return _ID.fullmatch(text) is not None
