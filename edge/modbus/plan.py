"""Merge the points of a profile into block reads: one read of 125 registers costs what a read of one costs."""

from __future__ import annotations

from dataclasses import dataclass

from edge.profiles import BIT_TABLES, PointMap, Profile, Table

TABLES: tuple[Table, ...] = ("discrete", "coil", "input", "holding")  # contacts first: they carry the alarms


@dataclass(frozen=True, slots=True)
class Block:
    """One read request: `count` addresses of a table from `address` on, and the points it brings."""

    table: Table
    address: int
    count: int
    points: tuple[str, ...]

    @property
    def in_bits(self) -> bool:
        """Whether the answer is packed eight to a byte rather than two bytes each."""
        return self.table in BIT_TABLES


def plan(profile: Profile) -> tuple[Block, ...]:
    """Fewest reads that bring every point, within the profile's block size and gap; no point is split."""
    blocks: list[Block] = []
    for table in TABLES:
        points = [(name, point) for name, point in profile.points.items() if point.table == table]
        points.sort(key=lambda item: item[1].address)
        for name, point in points:
            last = blocks[-1] if blocks and blocks[-1].table == table else None
            joined = _joined(last, name, point, profile) if last else None
            if joined:
                blocks[-1] = joined
            else:
                blocks.append(Block(table, point.address, point.words, (name,)))
    return tuple(blocks)


def _joined(block: Block, name: str, point: PointMap, profile: Profile) -> Block | None:
    """The block with the point added, or None where that would be too long or too far."""
    end = block.address + block.count
    count = max(end, point.address + point.words) - block.address
    limit = profile.max_bits if block.in_bits else profile.max_registers
    if point.address - end > profile.max_gap or count > limit:
        return None
    return Block(block.table, block.address, count, (*block.points, name))
