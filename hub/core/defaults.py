"""The limits and windows the desk obeys, as read from hub/defaults.toml. All ms unless said."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta

from protocol.kinds import Kind

Ms = Annotated[int, Meta(ge=1, le=366 * 24 * 3_600_000)]
Limits = Annotated[list[Ms], Meta(min_length=1, max_length=2)]


class Accept(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Time to accept at the station before the town is paged, then at the town before the county is."""

    p1: Limits
    p2: Limits
    p3: Limits
    p4: Limits
    must_look: Limits


class Levels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """By what the accept limits are divided at each response level."""

    normal: Annotated[int, Meta(ge=1)]
    enhanced: Annotated[int, Meta(ge=1)]
    critical: Annotated[int, Meta(ge=1)]


class Windows(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How far from an incident's first event a further one may join it."""

    press_join_ms: Ms
    group_press_ms: Ms
    confirm_ms: Ms
    group_intrusion_ms: Ms
    silent_join_ms: Ms
    fire_join_ms: Ms
    abort_ms: Ms
    sabotage_ms: Ms
    path_loss_ms: Ms


class Lateness(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A P1 rings neighbours below `ring_ms` of age, pages up to `page_ms`, and goes to the must-look list beyond."""

    ring_ms: Ms
    page_ms: Ms


class Calls(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Siren orders: how long they sound, how long an order is good, and when an unanswered one is sent again; and how
    long a link to answer by is good. `going_ms`: how long the group has to say "going" before the head household is
    called again, and that before the adjacent groups are; without the second these are not."""

    siren_ms: Ms
    expires_ms: Ms
    stand_down_expires_ms: Ms
    retry_ms: Ms
    answer_link_ms: Ms
    going_ms: Limits


class Keeping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """When a reviewed incident archives itself, and when the desk forgets an archived one (the journal keeps it)."""

    archive_ms: Ms
    forget_ms: Ms


class Proof(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A gateway's nightly proof counts when it arrives younger than `fresh_ms` and its notice is through `notice_ms`
    later; `fault_ms` without one is a fault."""

    fresh_ms: Ms
    notice_ms: Ms
    fault_ms: Ms


class Credit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Records a gateway may have unreceipted, by lane."""

    alarm: Annotated[int, Meta(ge=0)]
    telemetry: Annotated[int, Meta(ge=0)]


class Causes(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What false alarms are counted by; what is resolved in other words counts as the last."""

    false_alarm: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]], Meta(min_length=1, max_length=100)
    ]

    def __post_init__(self) -> None:
        if self.false_alarm[-1:] != ["other"] or len(set(self.false_alarm)) < len(self.false_alarm):
            raise ValueError("each cause once, and the last is other")


class Alarms(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Alarm management (ISA-18.2). `shelve_ms`: how long a shelf may last that an operator sets, and a supervisor;
    `review_ms`: how far ahead a review may be, `review_again_ms`: when one that is due is asked for again.

    A flood begins above `flood_begins` alarms presented within `flood_ms` and ends below `flood_ends`. An alarm that
    happens `chatter_times` within `chatter_ms` chatters, one that lasts longer than `stale_ms` is stale.
    """

    shelve_ms: Annotated[list[Ms], Meta(min_length=2, max_length=2)]
    review_ms: Ms
    review_again_ms: Ms
    flood_ms: Ms
    flood_begins: Annotated[int, Meta(ge=1, le=1_000)]
    flood_ends: Annotated[int, Meta(ge=1, le=1_000)]
    chatter_times: Annotated[int, Meta(ge=2, le=100)]
    chatter_ms: Ms
    stale_ms: Ms
    reasons: Annotated[
        list[Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,62}$")]], Meta(min_length=1, max_length=100)
    ]

    def __post_init__(self) -> None:
        if self.flood_ends > self.flood_begins:
            raise ValueError("flood_ends not above flood_begins")


class Suppression(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Kinds of records that are not told for themselves while the cause they follow from is open; none: told always."""

    gateway_lost: list[Kind]
    device_lost: list[Kind]

    def by_name(self) -> dict[str, list[Kind]]:
        """The kinds by the name of the suppression."""
        return {"gateway_lost": self.gateway_lost, "device_lost": self.device_lost}


class Defaults(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything of hub/defaults.toml."""

    accept: Accept
    levels: Levels
    windows: Windows
    lateness: Lateness
    calls: Calls
    keeping: Keeping
    proof: Proof
    credit: Credit
    causes: Causes
    alarms: Alarms
    suppression: Suppression
