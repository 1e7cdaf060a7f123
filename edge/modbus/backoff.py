"""How long to leave a silent unit alone, as a fold: its time-outs are what its neighbours on the bus pay."""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Policy:
    """First wait and longest wait, in ms. The wait doubles with every failure; jitter adds up to a quarter."""

    first_ms: int = 1_000
    cap_ms: int = 30_000

    def wait_ns(self, failures: int, jitter: float) -> int:
        """The wait after the n-th failure in a row; `jitter` from 0 to 1."""
        assert failures > 0 and 0.0 <= jitter <= 1.0
        doubled_ms = self.first_ms * 2 ** min(failures - 1, 32)  # no number grows without end
        return int(min(self.cap_ms, doubled_ms * (1 + jitter / 4)) * 1_000_000)


@dataclass(frozen=True, slots=True)
class Answering:
    """What is known of a unit: failures in a row, when the last was, and until when it is left alone."""

    failures: int = 0
    failed_at_ns: int = 0
    retry_at_ns: int = 0

    @property
    def well(self) -> bool:
        """Whether its last request was answered (or none was sent yet)."""
        return self.failures == 0


@dataclass(frozen=True, slots=True)
class Answered:
    """The unit said something, be it an exception."""


@dataclass(frozen=True, slots=True)
class Silent:
    """The unit let a request time out at `at_ns`."""

    at_ns: int
    jitter: float


def step(state: Answering, seen: Answered | Silent, policy: Policy) -> Answering:
    """The next state; an answer forgives everything."""
    if isinstance(seen, Answered):
        return state if state.well else Answering()
    failures = state.failures + 1
    return replace(
        state,
        failures=failures,
        failed_at_ns=seen.at_ns,
        retry_at_ns=seen.at_ns + policy.wait_ns(failures, seen.jitter),
    )


def write_may_try(state: Answering, now_ns: int, policy: Policy) -> bool:
    """Whether a write may be sent to a silent unit before its probe is due.

    A siren is worth a time-out long before the probe, but somebody writing in a loop must not stop the bus.
    """
    return state.well or now_ns - state.failed_at_ns >= policy.first_ms * 1_000_000
