"""Who gets a receipt first is decided by what came first, not by the hash seed of the process."""

from __future__ import annotations

from hub.core.heard import Gapped
from hub.rounds import waiting_for


def test_receipts_leave_in_the_order_of_the_inputs() -> None:
    """Each gateway once, in the order in which the batch first names it."""
    names = [f"gw-{number}" for number in (7, 3, 9, 1, 8, 2, 3, 7)]
    gaps = [Gapped("hengjie", name, "a" * 32, 1, 1, "full") for name in names]
    assert [("hengjie", f"gw-{number}") for number in (7, 3, 9, 1, 8, 2)] == list(waiting_for(gaps))
