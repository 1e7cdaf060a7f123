"""What simulates drives the product by what it offers: a copy of its insides would prove nothing of it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.protected import reaches

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "simulators").rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_a_simulator_touches_nothing_protected(path: Path) -> None:
    """Neither by import, nor by attribute, nor by inheritance, nor by name."""
    assert reaches(path.read_text(encoding="utf-8")) == []


BREACHES = {
    "from edge.outbox import _Pending": ["1: _Pending"],
    "from edge.outbox import _pending": ["1: _pending"],
    "box._stored()": ["1: _stored"],
    "a.b._c.d": ["1: _c"],
    "patch = [(Delivery, '_may_go', f)]": ["1: _may_go"],
    "from edge.outbox import Outbox\nclass A(Outbox):\n    def f(self):\n        return self._fault": ["4: _fault"],
    "class A(Outbox):\n    def f(self):\n        super()._tell()": ["3: _tell"],
    "import hub.journal\nhub.journal._told()": ["2: _told"],
}


@pytest.mark.parametrize("source", BREACHES)
def test_the_check_finds_a_breach(source: str) -> None:
    """It can fail, in each of the ways in which a simulator could reach inside."""
    assert reaches(source) == BREACHES[source]


DERIVED = "from edge.b import B\nclass A(B):\n"
FINE = (
    "class A:\n    def f(self):\n        return self._x",
    f"{DERIVED}    def __init__(self):\n        self._x = 1\n    def f(self):\n        return self._x",
    f"{DERIVED}    def _f(self): ...\n    def g(self):\n        self._f()",
    "import os\nos._exit(1)",
    "said._replace(data=b'')",
    "a.__dict__",
)


@pytest.mark.parametrize("source", FINE)
def test_the_check_lets_be_what_is_its_own(source: str) -> None:
    """A class's own attributes, other people's modules and what tuples offer are fine."""
    assert reaches(source) == []
