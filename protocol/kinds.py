"""What an alarm record says happened: our kinds, their Contact ID and SIA codes, and their lane priority.

Codes follow SIA DC-05 (Contact ID) and SIA DC-03; video loss has no standard code and travels as 380, an answer to a
call neither and travels as 750 (user assigned).
"""

from __future__ import annotations

from enum import IntEnum, StrEnum
from typing import NamedTuple


class Priority(IntEnum):
    """P1 life and duress, P2 unconfirmed intrusion, P3 tamper and blindness, P4 maintenance."""

    P1 = 1
    P2 = 2
    P3 = 3
    P4 = 4


class Qualifier(StrEnum):
    """Contact ID qualifiers 1, 3 and 6."""

    NEW = "new"
    RESTORE = "restore"
    PRESENT = "present"


class Kind(StrEnum):
    """The kinds of alarm-lane records."""

    PANIC = "panic"
    DURESS = "duress"
    SILENT_HOLDUP = "silent_holdup"
    FIRE = "fire"
    GAS = "gas"
    WATER = "water"
    INTRUSION = "intrusion"
    ENTRY_EXIT = "entry_exit"
    TAMPER = "tamper"
    ZONE_FAULT = "zone_fault"
    DEVICE_LOST = "device_lost"
    MAINS_LOST = "mains_lost"
    BATTERY_LOW = "battery_low"
    BATTERY_MISSING = "battery_missing"
    NVR_OFFLINE = "nvr_offline"
    NVR_DISK = "nvr_disk"
    VIDEO_LOSS = "video_loss"
    RECORDING_STALE = "recording_stale"
    ARMED = "armed"
    DISARMED = "disarmed"
    AUTO_ARMED = "auto_armed"
    AUTO_DISARMED = "auto_disarmed"
    CANCEL = "cancel"
    ANSWER = "answer"
    BYPASS = "bypass"
    SWINGER_BYPASS = "swinger_bypass"
    CHATTER = "chatter"
    RESET = "reset"
    TEST = "test"
    WALK_TEST = "walk_test"
    CLOCK = "clock"
    GATEWAY_FAULT = "gateway_fault"
    RECORDS_LOST = "records_lost"


class Code(NamedTuple):
    """Contact ID event code, SIA code, and the priority the alarm lane gives the record before any rule."""

    contact_id: int
    sia: str
    priority: Priority


CODES: dict[Kind, Code] = {
    Kind.PANIC: Code(120, "PA", Priority.P1),
    Kind.DURESS: Code(121, "HA", Priority.P1),
    Kind.SILENT_HOLDUP: Code(122, "HA", Priority.P1),
    Kind.FIRE: Code(110, "FA", Priority.P1),
    Kind.GAS: Code(151, "GA", Priority.P1),
    Kind.WATER: Code(150, "UA", Priority.P3),
    Kind.INTRUSION: Code(130, "BA", Priority.P2),
    Kind.ENTRY_EXIT: Code(134, "BA", Priority.P2),
    Kind.TAMPER: Code(137, "TA", Priority.P3),
    Kind.ZONE_FAULT: Code(380, "UT", Priority.P4),
    Kind.DEVICE_LOST: Code(333, "ET", Priority.P4),
    Kind.MAINS_LOST: Code(301, "AT", Priority.P4),
    Kind.BATTERY_LOW: Code(302, "YT", Priority.P4),
    Kind.BATTERY_MISSING: Code(311, "YM", Priority.P4),
    Kind.NVR_OFFLINE: Code(380, "UT", Priority.P3),
    Kind.NVR_DISK: Code(380, "UT", Priority.P3),
    Kind.VIDEO_LOSS: Code(380, "UT", Priority.P3),
    Kind.RECORDING_STALE: Code(380, "UT", Priority.P3),
    Kind.ARMED: Code(401, "CL", Priority.P4),
    Kind.DISARMED: Code(401, "OP", Priority.P4),
    Kind.AUTO_ARMED: Code(403, "CA", Priority.P4),
    Kind.AUTO_DISARMED: Code(403, "OA", Priority.P4),
    Kind.CANCEL: Code(406, "BC", Priority.P2),
    Kind.ANSWER: Code(750, "UX", Priority.P2),
    Kind.BYPASS: Code(570, "BB", Priority.P4),
    Kind.SWINGER_BYPASS: Code(575, "BB", Priority.P4),
    Kind.CHATTER: Code(575, "BB", Priority.P4),
    Kind.RESET: Code(305, "RR", Priority.P4),
    Kind.TEST: Code(602, "RP", Priority.P4),
    Kind.WALK_TEST: Code(607, "TS", Priority.P4),
    Kind.CLOCK: Code(625, "JT", Priority.P4),
    Kind.GATEWAY_FAULT: Code(300, "YP", Priority.P4),
    Kind.RECORDS_LOST: Code(354, "YC", Priority.P3),
}
assert CODES.keys() == set(Kind), "every kind has its codes"
