"""The two commands a newcomer types, as a newcomer would type them."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from asyncio.subprocess import PIPE, Process
from pathlib import Path

import pytest

from simulators.demo import __main__ as command
from simulators.scenario import Scenario, Step, names
from simulators.village import Village
from tests.support.wait import until

KEYS = {
    "id", "priority", "rule", "group", "households", "zones", "event_time", "committed_time", "called", "latency_ms",
}  # fmt: skip
EAST = [f"h{number:02}" for number in range(1, 11)]
EXPECTED: dict[str, tuple[str, str | None, list[str], list[str], list[str]]] = {
    "panic": ("P1", "east", ["h03"], ["h03-panic"], [home for home in EAST if home != "h03"]),
    "intrusion": ("P2", "east", ["h01"], ["h01-door"], []),
    "gateway_lost": ("P3", None, [], [], []),
}
"""Scenario to priority, group, households, zones, and whose gateways replied; test_scenarios judges the others."""
QUIET = [Step(at_s=0.1, restore="h01-door")]
REASON = "lianfang demo: 0 of 1 incidents within 2 s of scenario quiet (panic)\n"


async def demo(*words: str) -> Process:
    """Start `lianfang demo`."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "lianfang", "demo", *words, stdout=PIPE, stderr=PIPE, start_new_session=True
    )


async def finished(process: Process, limit_s: float = 120.0) -> tuple[int | None, str, str]:
    """Its exit status, standard output and standard error."""
    async with asyncio.timeout(limit_s):
        out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


@pytest.mark.parametrize("scenario", EXPECTED)
async def test_a_scenario_ends_with_its_incident(scenario: str, tmp_path: Path, mosquitto_path: Path) -> None:
    """Each rule's scenario prints its incident as one JSON object, after the sirens' replies, and exits 0."""
    process = await demo("--headless", "--scenario", scenario, "--incidents", "1", "--data", str(tmp_path))
    status, out, err = await finished(process)
    assert (0, 1) == (status, len(out.splitlines())), err
    found = json.loads(out)
    assert set(found) >= KEYS
    shown = tuple(found[key] for key in ("priority", "group", "households", "zones", "called"))
    assert (scenario, *EXPECTED[scenario]) == (found["rule"], *shown)
    assert found["event_time"] < found["committed_time"]


async def test_the_embedded_broker_serves_the_demo(tmp_path: Path) -> None:
    """Nothing needs to be installed: the broker of the Python package carries the same press."""
    process = await demo("--headless", "--scenario", "panic", "--broker", "embedded", "--data", str(tmp_path))
    status, out, err = await finished(process)
    assert 0 == status, err
    assert EXPECTED["panic"][4] == json.loads(out)["called"]


async def test_what_led_to_an_incident_follows_it(tmp_path: Path, mosquitto_path: Path) -> None:
    """The parent of a group intrusion comes first, then the intrusions it is made of."""
    words = ("--headless", "--scenario", "group_intrusion", "--incidents", "3", "--data", str(tmp_path))
    status, out, err = await finished(await demo(*words))
    assert 0 == status, err
    assert ["group_intrusion", "intrusion", "intrusion"] == [json.loads(line)["rule"] for line in out.splitlines()]


async def test_an_incident_that_does_not_come_is_a_failure_with_its_reason(
    tmp_path: Path, mosquitto_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """When nothing is raised in time the status is 1, and what was waited for is said."""
    monkeypatch.setattr(command, "INCIDENT_S_MAX", 2.0)
    quiet = Scenario(name="quiet", title="A door that is closed stays closed", rule="panic", step=QUIET)
    assert 1 == await command._headless(Village(tmp_path), quiet, 1)
    assert ("", REASON) == capsys.readouterr()


async def test_scenarios_are_listed() -> None:
    """`--list` names every scenario there is."""
    status, out, _ = await finished(await demo("--list"))
    assert (0, names()) == (status, [line.split()[0] for line in out.splitlines()])


async def test_an_unknown_scenario_names_the_known_ones(tmp_path: Path) -> None:
    """A wrong name is refused before anything starts."""
    status, out, err = await finished(await demo("--scenario", "storm", "--data", str(tmp_path)))
    assert (2, "") == (status, out)
    assert err.startswith("scenario: name: found 'storm'; allowed: one of ")


async def test_ctrl_c_leaves_no_process_and_only_the_data_folder(tmp_path: Path, mosquitto_path: Path) -> None:
    """An interrupt ends broker, hub and gateways; outside the data folder nothing is left."""
    process = await demo("--data", str(tmp_path / "village"))
    assert process.stdout is not None
    async with asyncio.timeout(60):
        while b"token" not in await process.stdout.readline():
            pass
    assert 5 == len(children(tmp_path))
    process.send_signal(signal.SIGINT)
    status, out, err = await finished(process, 30)
    assert (0, "") == (status, err)
    assert out.splitlines()[-1].startswith("Every process has ended.")
    await until(lambda: not children(tmp_path))
    assert ["village"] == left_in(tmp_path)


def left_in(folder: Path) -> list[str]:
    """What is there."""
    return sorted(path.name for path in folder.iterdir())


def children(folder: Path) -> list[str]:
    """The command lines of running processes that were given something in `folder`, the demo's own apart."""
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = path.read_bytes().decode().split("\0")
        except OSError:
            continue
        if any(str(folder) in word for word in words) and "demo" not in words:
            found.append(" ".join(words))
    return found
