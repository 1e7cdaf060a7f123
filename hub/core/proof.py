"""What is known of a gateway's proofs: its last whole one, and what came of those since."""

from __future__ import annotations

import msgspec


class Proof(msgspec.Struct, frozen=True, omit_defaults=True):
    """A gateway's proof. Times are hub wall ms: since when the hub knows the gateway, and when its last whole proof
    left it (None: there was none yet).

    How long that took, ms: the way to the hub, to its commit, and to the last step of its notice (None: not measured),
    which was made for `told` recipients. `incident` is one under way; `trouble` says why what came since, at
    `trouble_ms`, was none, or what of its notice failed.
    """

    known_ms: int
    proved_ms: int | None = None
    way_ms: int | None = None
    commit_ms: int | None = None
    notice_ms: int | None = None
    told: int = 0
    incident: str | None = None
    trouble: str = ""
    trouble_ms: int | None = None

    @property
    def since_ms(self) -> int:
        """From when its age counts."""
        return self.known_ms if self.proved_ms is None else self.proved_ms


class ProofView(msgspec.Struct, frozen=True):
    """A gateway with its proof. `overdue`: it is a fault by now. Times as in `Proof`; `age_ms` counts from the last
    whole one, or from when the hub first knew the gateway (None: it does not know it yet)."""

    area: str
    gateway: str
    proved_ms: int | None
    age_ms: int | None
    overdue: bool
    way_ms: int | None
    commit_ms: int | None
    notice_ms: int | None
    told: int
    trouble: str
    trouble_ms: int | None


def shown(area: str, gateway: str, proof: Proof | None, fault_ms: int, now_ms: int) -> ProofView:
    """A gateway's proof as it is seen at `now_ms`; `fault_ms` is how old it may become."""
    if proof is None:
        return ProofView(area, gateway, None, None, False, None, None, None, 0, "", None)
    age_ms = max(0, now_ms - proof.since_ms)
    took = (proof.way_ms, proof.commit_ms, proof.notice_ms, proof.told)
    return ProofView(area, gateway, proof.proved_ms, age_ms, age_ms >= fault_ms, *took, proof.trouble, proof.trouble_ms)
