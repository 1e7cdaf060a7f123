"""What the installer reads holds: every line the gateway logs is explained, every lamp pattern too."""

from __future__ import annotations

import re
from pathlib import Path

from edge.core.lamps import PATTERNS, Stage

ROOT = Path(__file__).parents[2]
GUIDE = (ROOT / "docs" / "installing.md").read_text(encoding="utf-8")
LOGGED = re.compile(r'log\.(?:info|warning|error|critical|exception)\(\s*"([^"]+)"')


def test_every_log_line_of_the_gateway_is_explained() -> None:
    """And the guide explains none that there is not."""
    sources = [*(ROOT / "edge").rglob("*.py"), ROOT / "protocol" / "logs.py"]
    logged = {found for path in sources for found in LOGGED.findall(path.read_text("utf-8"))}
    explained = set(re.findall(r"^\| `([^`]+)` \|", GUIDE.partition("## What the log lines mean")[2], re.MULTILINE))
    assert logged == explained


def test_every_pattern_of_the_lamp_is_explained() -> None:
    """As long as the code has them."""
    table = GUIDE.partition("**What the lamp says**")[2].partition("\n\nA duress")[0]
    assert len(re.findall(r"^\| [^-|l]", table, re.MULTILINE)) == len(Stage)
    assert (sum(PATTERNS[Stage.PRESSED]), sum(PATTERNS[Stage.STORED])) == (250, 1_000)
