"""The stream of messages of a seed: garbled ones, and among them at a known rate the words of true gateways."""

from __future__ import annotations

import random
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

from hub.core.opening import incident_id
from simulators.fuzz import garble
from simulators.fuzz.place import AREA, OTHER, STILL
from simulators.fuzz.speech import CHANNELS, Json, Said, Voice, written

VALID_EVERY = 20
"""One message in so many is a true gateway's, unharmed."""
STRANGERS = 12
"""Instances per gateway that garbled messages are of: fewer than the hub remembers, so that none is forgotten."""
REMEMBERED = 200
BOOT = 1_000_000
"""Of the true instances: higher than the others, so that they are the last to be forgotten."""


@dataclass(frozen=True, slots=True)
class Word:
    """One message. `events` are the bytes of what is true in it and must be committed just so."""

    said: Said
    true: bool = False
    events: tuple[bytes, ...] = ()


class Stream:
    """Every message of a seed, one after the other."""

    def __init__(self, seed: int) -> None:
        self._rng = rng = random.Random(seed)
        who = ((AREA, "gw-1"), (AREA, "gw-2"), (OTHER, "gw-o"))
        self._true = [Voice(*one, f"{at:032x}", BOOT, rng) for at, one in enumerate((*who, (AREA, STILL)), 1)]
        self._strangers = [Voice(*one, f"{rng.getrandbits(128):032x}", 7, rng) for one in who for _ in range(STRANGERS)]
        self._recent: deque[tuple[Said, Json]] = deque(maxlen=REMEMBERED)

    def __iter__(self) -> Iterator[Word]:
        number = 0
        while True:
            yield self._valid() if number % VALID_EVERY == 0 else Word(self._garbled())
            number += 1

    def _valid(self) -> Word:
        voice, channel = self._rng.choice(self._true), self._rng.choice(CHANNELS)
        message = voice.message(channel)
        retain = voice.gateway == STILL or (channel in ("birth", "session") and self._rng.random() < 0.5)
        said = Said(voice.topic(channel), written(message), retain)
        if channel != "alarm":
            return Word(said, true=True)
        events = [event for _, event in message["items"]]
        for event in events:
            if event["kind"] == "panic" and len(voice.orders) < 1_000:
                ident = f"{voice.gateway}/{voice.instance}/{event['seq']}"
                voice.orders.append(f"{incident_id(voice.area, 'panic', ident)}-1")
        self._recent.append((said, message))
        return Word(said, true=True, events=tuple(map(written, events)))

    def _garbled(self) -> Said:
        rng, roll = self._rng, self._rng.random()
        if roll < 0.04 and self._recent:
            return self._said_before()
        voice, channel = rng.choice(self._strangers), rng.choice(CHANNELS)
        message = voice.message(channel)
        if roll < 0.12:
            rng.choice(garble.SHAPED)(message, rng)
        elif roll < 0.6:
            for _ in range(rng.choice((1, 1, 1, 2, 3))):
                if message:
                    rng.choice(garble.VALUES)(message, rng)
        said = Said(voice.topic(channel), written(message), rng.random() < 0.2)
        if roll >= 0.6:
            sort = rng.choice(garble.RARE if roll > 0.999 else garble.BYTES)
            if roll < 0.88 or roll > 0.999:
                said = said._replace(data=sort(said.data, rng))
            else:
                said = garble.readdressed(said, rng)
                if rng.random() < 0.5:
                    said = said._replace(data=sort(said.data, rng))
        return garble.muted(said) if rng.random() < 0.02 else said

    def _said_before(self) -> Said:
        """What a true gateway said, once more; or other bytes under one of its names."""
        said, message = self._rng.choice(self._recent)
        if self._rng.random() < 0.5:
            return said
        event = dict(self._rng.choice(message["items"])[1])
        event |= self._rng.choice(
            ({"key": "cloned"}, {"count": 3}, {"drill": True}, {"detail": {"n": 1.5}}, {"first": None})
        )
        event["at"] = [self._rng.getrandbits(60), *event["at"][1:]]
        return said._replace(data=written({**message, "items": [[0, event]], "gaps": []}))
