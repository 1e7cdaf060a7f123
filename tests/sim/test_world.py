"""The village in a world that fails: fixed seeds keep every promise, and one seed is one night, to the byte."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from simulators.world.story import Profile, draw
from simulators.world.village import GATEWAYS, village
from simulators.world.world import simulate
from tests.sim.kept_seeds import KEPT_SEEDS, KEPT_STRUCK

ROOT = Path(__file__).resolve().parents[2]
SEEDS = range(len(Profile))


@pytest.mark.parametrize("seed", sorted({*SEEDS, *KEPT_STRUCK}))
def test_an_hour_of_the_seed_keeps_every_promise(seed: int) -> None:
    """Whatever fails in that hour, no check of the oracle finds a promise broken."""
    outcome = simulate(draw(seed, 1.0))
    assert outcome.violations == (), "\n".join(map(str, outcome.violations))


@pytest.mark.parametrize("seed", KEPT_SEEDS)
def test_a_night_that_failed_once_keeps_every_promise(seed: int) -> None:
    """The very nights that failed, before anything in them struck together."""
    outcome = simulate(draw(seed, 1.0, together=False))
    assert outcome.violations == (), "\n".join(map(str, outcome.violations))


def test_the_fixed_seeds_have_every_sort_of_night() -> None:
    """No profile of faults is left out, and things strike together in some."""
    assert {draw(seed, 1.0).profile for seed in SEEDS} == set(Profile)
    assert {draw(seed, 1.0) == draw(seed, 1.0, together=False) for seed in SEEDS} == {True, False}


def test_the_village_has_three_gateways_and_two_hundred_zones() -> None:
    """The size the speed is stated for."""
    assert (len(GATEWAYS), village().zones()) == (3, 200)


def test_one_seed_is_one_night_whatever_the_hash_seed() -> None:
    """Two processes with other hash seeds write the same messages and the same journal."""

    def digest(hash_seed: str) -> str:
        command = [sys.executable, "-m", "lianfang", "simulate", "world", "--seed", "7", "--hours", "0.3", "--json"]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env={"PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return str(json.loads(done.stdout)["digest"])

    assert digest("1") == digest("2")


def test_another_seed_is_another_night() -> None:
    """The digest says what happened."""
    assert simulate(draw(0, 0.1)).digest != simulate(draw(8, 0.1)).digest
