"""A network video recorder as the gateway sees it: through the status adapter, as registers of `nvr-status`.

What it claims and what it does are apart: it can say "recording" while its newest file is an hour old.
"""

from __future__ import annotations

from collections.abc import Callable

from edge.profiles import Profile, load_profiles
from simulators.modbus import SimUnit

PROFILE = "nvr-status"
CHANNELS_MAX, DISKS_MAX = 32, 8
NO_RECORDING_S = 2**32 - 1


class Nvr:
    """Put `nvr.unit` on a server. `clock` gives seconds that never go back."""

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        unit: int = 1,
        channels: int = 8,
        disks: int = 1,
        profile: Profile | None = None,
    ) -> None:
        """A recorder that is well: `channels` 1 to 32, `disks` 0 to 8. Raises ValueError."""
        if not 1 <= channels <= CHANNELS_MAX or not 0 <= disks <= DISKS_MAX:
            raise ValueError(f"1 to {CHANNELS_MAX} channels and 0 to {DISKS_MAX} disks, not {channels} and {disks}")
        self.channels, self.disks = channels, disks
        self._away_since_s: float | None = None
        self.claims_recording = True
        self.lost_channels: set[int] = set()
        self.failed_disks: set[int] = set()
        self._clock = clock
        self._stopped_at_s: float | None = None
        self.unit = SimUnit(profile or load_profiles()[PROFILE], unit, refresh=self._show)

    @property
    def online(self) -> bool:
        """Whether the adapter reaches the recorder."""
        return self._away_since_s is None

    def go_offline(self) -> None:
        """The adapter no longer reaches it, and can only reckon how old the newest file it knows of is."""
        self._away_since_s = self._clock()

    def come_back(self) -> None:
        """The adapter reaches it again."""
        self._away_since_s = None

    def stop_writing(self, age_s: float = 0.0, *, claim: bool = True) -> None:
        """No more files; the newest is `age_s` old and ages by the clock. By default it goes on claiming to record."""
        self._stopped_at_s = self._clock() - age_s
        self.claims_recording = claim

    def resume_writing(self) -> None:
        """New files again, and the claim is true again."""
        self._stopped_at_s, self.claims_recording = None, True

    def lose_channel(self, channel: int) -> None:
        """A camera's video is gone; channels count from 1. Raises ValueError."""
        self.lost_channels.add(_known(channel, self.channels, "channel"))

    def restore_channel(self, channel: int) -> None:
        """The video is back."""
        self.lost_channels.discard(_known(channel, self.channels, "channel"))

    def fail_disk(self, disk: int) -> None:
        """A disk fails; disks count from 1. With none left nothing is written any more. Raises ValueError."""
        self.failed_disks.add(_known(disk, self.disks, "disk"))
        if len(self.failed_disks) == self.disks and self._stopped_at_s is None:
            self._stopped_at_s = self._clock()

    def replace_disk(self, disk: int) -> None:
        """A good disk in its place; writing resumes only by `resume_writing`."""
        self.failed_disks.discard(_known(disk, self.disks, "disk"))

    @property
    def newest_recording_age_s(self) -> int:
        """Age of the newest file that the adapter knows of, in whole seconds."""
        if self.disks == 0:
            return NO_RECORDING_S
        stops_s = [at_s for at_s in (self._stopped_at_s, self._away_since_s) if at_s is not None]
        return int(self._clock() - min(stops_s)) if stops_s else 0

    def _show(self) -> None:
        """What the adapter shows at this moment; of a recorder it does not reach only the age moves."""
        self.unit.set("online", self.online)
        self.unit.set("newest_recording_age_s", self.newest_recording_age_s)
        if not self.online:
            return
        self.unit.set("recording", self.claims_recording)
        self.unit.set("channels_configured", self.channels)
        self.unit.set("channels_lost", len(self.lost_channels))
        self.unit.set("disks_fitted", self.disks)
        for disk in range(1, DISKS_MAX + 1):
            self.unit.set(f"disk{disk}_ok", disk not in self.failed_disks)
        for channel in range(1, CHANNELS_MAX + 1):
            self.unit.set(f"channel{channel}_lost", channel in self.lost_channels)


def _known(number: int, count: int, what: str) -> int:
    if not 1 <= number <= count:
        raise ValueError(f"no {what} {number}: there are {count}")
    return number
