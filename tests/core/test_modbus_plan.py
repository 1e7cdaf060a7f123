"""Points become the fewest block reads the device allows."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from edge.modbus.plan import Block, plan
from edge.profiles import Profile


def profile(points: dict[str, dict[str, Any]], **limits: int) -> Profile:
    """A device with these points."""
    about = {"name": "x", "vendor": "v", "model": "m", "title": "t", "source": "s"}
    return Profile.model_validate({**about, **limits, "points": points})


def contacts(*addresses: int) -> dict[str, dict[str, Any]]:
    """Discrete inputs at these addresses."""
    return {f"di{address}": {"table": "discrete", "address": address, "type": "bool"} for address in addresses}


def test_adjacent_points_are_one_read() -> None:
    """Points side by side come in one block, in the order of their addresses."""
    assert plan(profile(contacts(1, 0, 2))) == (Block("discrete", 0, 3, ("di0", "di1", "di2")),)


def test_gap_starts_a_new_read() -> None:
    """Unused addresses are not read along unless the profile allows so many."""
    assert [(block.address, block.count) for block in plan(profile(contacts(0, 2)))] == [(0, 1), (2, 1)]
    assert [(block.address, block.count) for block in plan(profile(contacts(0, 2), max_gap=1))] == [(0, 3)]


def test_block_keeps_the_limit_of_the_device() -> None:
    """No block is longer than the device gives in one answer."""
    assert [block.count for block in plan(profile(contacts(*range(10)), max_bits=4))] == [4, 4, 2]


def test_wide_value_is_not_split() -> None:
    """A value of two registers that would cross the limit moves to the next block whole."""
    words = {f"f{i}": {"table": "input", "address": 2 * i, "type": "float32"} for i in range(3)}
    assert [(block.address, block.count) for block in plan(profile(words, max_registers=5))] == [(0, 4), (4, 2)]


def test_bits_of_one_register_are_one_read() -> None:
    """Sixteen bits of a register cost one register."""
    bits = {f"b{i}": {"table": "input", "address": 7, "type": "bool", "bit": i} for i in range(16)}
    (block,) = plan(profile(bits))
    assert (block.address, block.count, len(block.points)) == (7, 1, 16)


def test_tables_are_never_merged() -> None:
    """A coil and a contact of the same address are two reads, the contact first."""
    both = {**contacts(0), "do0": {"table": "coil", "address": 0, "type": "bool"}}
    assert [block.table for block in plan(profile(both))] == ["discrete", "coil"]


@given(
    addresses=st.sets(st.integers(0, 300), min_size=1, max_size=60),
    gap=st.integers(0, 20),
    limit=st.integers(1, 125),
)
def test_every_plan_covers_all_points_within_limits(addresses: set[int], gap: int, limit: int) -> None:
    """Whatever the map, each point is in exactly one block that holds it and keeps the limit."""
    device = profile(contacts(*addresses), max_gap=gap, max_bits=limit)
    blocks = plan(device)
    assert sorted(name for block in blocks for name in block.points) == sorted(device.points)
    for block in blocks:
        assert 1 <= block.count <= limit
        for name in block.points:
            assert block.address <= device.points[name].address < block.address + block.count
