"""Who speaks under one gateway's name, and which of them it is. Pure: the hub's monotonic ms are arguments.

Every process of a gateway has an instance of its own, so another instance is a restart or a second gateway (a copied
card). They are told apart by what the old one does: after a restart it never speaks again; of two gateways each speaks
after the other, again and again. The one that was there first is the rightful one, until it has been silent for its
reporting time *while another spoke* (of a second gateway known as such: for `TAKEOVER_MS`). Silence of all, as in an
outage of the broker, decides nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

TURNS_MIN = 4
"""Words in turn that prove two gateways: other, rightful, other, rightful. One word of a dead process may come late."""
TAKEOVER_MS = 15 * 60_000
"""How long the rightful one is silent beside a second one until that is taken for its replacement; or the second one
beside the rightful until it is taken for gone."""
VOICES_MAX = 8
"""Instances remembered besides the rightful; the one heard longest ago is forgotten."""


@dataclass(slots=True)
class Voice:
    """An instance beside the rightful one. `spoke_last`: after it, the rightful one has said nothing; `turned_ms` is
    when that became so, or ceased to be."""

    instance: str
    boot: int
    first_ms: int
    last_ms: int
    turned_ms: int
    turns: int = 1
    spoke_last: bool = True
    second: bool = False


class Speakers:
    """The processes under one name. `rightful` is None until one is heard; `recalled` is what was known of seconds
    before the hub's start at `began_ms`: the rightful one and they."""

    def __init__(
        self, profile_ms: int, rightful: str | None = None, recalled: tuple[str, ...] = (), began_ms: int = 0
    ) -> None:
        self.rightful = rightful
        self._profile_ms = profile_ms
        self._boot = 0
        self._first_ms: int | None = None
        self._others = {
            one: Voice(one, 0, began_ms, began_ms, began_ms, spoke_last=False, second=True) for one in recalled
        }

    @property
    def seconds(self) -> tuple[str, ...]:
        """Instances that are a second gateway under this name."""
        return tuple(sorted(voice.instance for voice in self._others.values() if voice.second))

    def is_second(self, instance: str) -> bool:
        """Whether this is a second gateway, which is refused everything but its alarms."""
        return instance in self._others and self._others[instance].second

    def may_be(self, instance: str) -> bool:
        """Whether this is the rightful one, or may be its next process."""
        return instance == self.rightful or (instance in self._others and not self._others[instance].second)

    def obeying(self) -> tuple[str | None, ...]:
        """Whom commands are for: the rightful one, and whoever may be its next process; (None,) for whoever hears it,
        while nobody was heard."""
        if self.rightful is None:
            return (None,)
        fresh = (one.instance for one in self._others.values() if one.spoke_last and not one.second)
        return (self.rightful, *sorted(fresh))

    def heard(self, instance: str, boot: int, now_ms: int) -> bool:
        """A process said of itself just now that it is there. True when who is a second one, or the rightful one
        beside seconds, changed by it."""
        before = (self.rightful if self.seconds else None, self.seconds)
        if self.rightful is None or instance == self.rightful:
            self._rightful_spoke(instance, boot, now_ms)
        else:
            self._other_spoke(instance, boot, now_ms)
        return before != (self.rightful if self.seconds else None, self.seconds)

    def _rightful_spoke(self, instance: str, boot: int, now_ms: int) -> None:
        self.rightful, self._boot = instance, boot
        if self._first_ms is None:
            self._first_ms = now_ms
        for voice in list(self._others.values()):
            if voice.spoke_last:
                voice.spoke_last, voice.turned_ms = False, now_ms
                voice.turns += 1
            elif now_ms - voice.turned_ms >= TAKEOVER_MS:
                del self._others[voice.instance]
            if voice.turns >= TURNS_MIN and not voice.second:
                self._prove(voice, now_ms)

    def _other_spoke(self, instance: str, boot: int, now_ms: int) -> None:
        voice = self._others.get(instance)
        if voice is None:
            if len(self._others) >= VOICES_MAX:
                del self._others[min(self._others, key=lambda name: self._others[name].last_ms)]
            voice = self._others[instance] = Voice(instance, boot, now_ms, now_ms, now_ms)
        elif not voice.spoke_last:
            voice.spoke_last, voice.turned_ms = True, now_ms
            voice.turns += 1
        voice.boot, voice.last_ms = boot, now_ms
        if now_ms - voice.turned_ms >= (TAKEOVER_MS if voice.second else self._profile_ms):
            self._take_over(voice, now_ms)

    def _prove(self, voice: Voice, now_ms: int) -> None:
        """Two gateways. Where the hub found both there as it started, the one that began first (the lower boot) is
        rightful; else the one it knew first."""
        voice.second = True
        assert self.rightful is not None and self._first_ms is not None
        if voice.first_ms - self._first_ms < self._profile_ms and (voice.boot, voice.instance) < (
            self._boot,
            self.rightful,
        ):
            swapped = Voice(self.rightful, self._boot, self._first_ms, now_ms, now_ms, second=True)
            del self._others[voice.instance]
            self._others[swapped.instance] = swapped
            self.rightful, self._boot, self._first_ms = voice.instance, voice.boot, voice.first_ms

    def _take_over(self, voice: Voice, now_ms: int) -> None:
        """The old one is no more; whoever else spoke beside it begins anew beside this one."""
        del self._others[voice.instance]
        self.rightful, self._boot, self._first_ms = voice.instance, voice.boot, voice.first_ms
        for other in list(self._others.values()):
            other.turns, other.spoke_last, other.turned_ms = 1, False, now_ms
