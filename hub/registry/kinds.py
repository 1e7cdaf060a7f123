"""The zone kinds that gateways of this version know; another is worth a look, for a newer gateway may know it."""

from __future__ import annotations

ZONE_KINDS = frozenset(
    {
        "door",
        "window",
        "motion",
        "glass_break",
        "smoke",
        "gas",
        "water",
        "panic",
        "duress",
        "silent_holdup",
        "tamper",
        "mains",
        "battery",
        "nvr_online",
        "nvr_disk",
        "nvr_channels",
        "nvr_recording",
        "keyswitch",
        "arm_button",
        "answer",
        "meter",
    }
)
