"""What holds of every parent, whatever it stands for: who is in it, who is missing, and what must not be in it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

from simulators.world.oracle.facts import Fact, least_ms, most_ms, perhaps_together, together
from simulators.world.oracle.found import Found

if TYPE_CHECKING:
    from simulators.world.world import World


@dataclass(frozen=True, slots=True)
class Parent:
    """One parent with the facts that it holds."""

    id: str
    facts: tuple[Fact, ...]
    raised_ms: int
    over_ms: int
    accepted: bool

    def was_open(self, fact: Fact) -> bool:
        """Whether it surely stood open together with a fact."""
        return max(self.raised_ms, fact.known_ms) < min(self.over_ms, fact.over_ms)


def parents(found: Found, rule: str, facts: Sequence[Fact], scope: str = "") -> list[Parent]:
    """The parents of a rule whose scope ends so, each with those of `facts` whose records it names."""
    held = []
    for name in found.of_rule(rule):
        if found.scopes[name].endswith(scope):
            idents = {mark[1] for mark in found.marks[name]}
            shown, mine = found.incidents[name], tuple(fact for fact in facts if fact.ident in idents)
            accepted = shown.get("accepted_ms") is not None
            held.append(Parent(name, mine, shown["raised_ms"], found.over_ms(name), accepted))
    return held


def holding(standing: Sequence[Parent], fact: Fact) -> list[str]:
    """Those that hold a fact."""
    return [parent.id for parent in standing if any(one.ident == fact.ident for one in parent.facts)]


@dataclass(frozen=True, slots=True)
class Window:
    """So many facts of different `key` within a window make a parent of `rule`, which is anchored at its first."""

    rule: str
    window_ms: int
    enough: int
    key: Callable[[Fact], str | None]

    def judge(self, world: World, facts: Sequence[Fact], standing: Sequence[Parent]) -> None:
        """What must be and is not, and what is and may not be."""
        for parent in standing:
            self._may_be(world, parent)
        for earlier, later in combinations(standing, 2):
            if later.facts and {*later.facts} <= {*earlier.facts}:
                world.witness.broken("raised again", f"{later.id} stands for nothing that {earlier.id} does not")
        loose = [fact for fact in facts if not holding(standing, fact)]
        for some in combinations(loose, self.enough):
            if self._different(some) and self._surely_near(some) and together(some):
                said = ", ".join(map(str, some))
                world.witness.broken("parent missing", f"{said}: no {self.rule} holds any of them")
                return
        for parent in standing:
            for fact in loose:
                if parent.facts and parent.was_open(fact) and self._surely_near((fact, *parent.facts), fact):
                    world.witness.broken("left out", f"{fact} is not in {parent.id}, which stood open then")
                    return

    def _may_be(self, world: World, parent: Parent) -> None:
        near = [
            anchor
            for anchor in parent.facts
            if all(least_ms(anchor, other) <= self.window_ms for other in parent.facts)
        ]
        some = (s for s in combinations(parent.facts, self.enough) if self._different(s) and perhaps_together(s))
        if not near or next(some, None) is None:
            said = ", ".join(map(str, parent.facts)) or "nothing"
            world.witness.broken("no parent", f"{parent.id} stands for {said}: that is no {self.rule}")

    def _different(self, facts: Collection[Fact]) -> bool:
        return len({self.key(fact) for fact in facts}) == len(facts)

    def _surely_near(self, facts: Sequence[Fact], to: Fact | None = None) -> bool:
        those = combinations(facts, 2) if to is None else ((to, fact) for fact in facts)
        return all(most_ms(one, other) <= self.window_ms for one, other in those)


def children_belong(world: World, found: Found, standing: Sequence[Parent], by: Collection[str]) -> None:
    """Whoever has a record in a parent is its child, or a child of something that is, or of another that `by` allows:
    what is not has been forgotten."""
    for parent in standing:
        for fact in parent.facts:
            if not parent.was_open(fact) or parent.over_ms < fact.over_ms or found.goes_on_alone(fact.incident):
                continue
            above = list(found.above(fact.incident))
            if not any(found.incidents[name]["rule"] in by for name in above):
                said = f"part of {', '.join(above)}" if above else "part of nothing"
                world.witness.broken("not its child", f"{fact.incident} ({fact}) is {said}, not of {parent.id}")
                return
