"""Device profiles: the committed ones are valid, and a bad one says everything that is wrong with it."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import jsonschema
import pytest

from edge import profiles
from edge.modbus.plan import plan
from protocol.faults import Refused

FILES = sorted(profiles.FOLDER.glob("*.toml"))
GOOD = """
name = "good"
vendor = "v"
model = "m"
title = "t"
source = "s"
[points]
di1 = { table = "discrete", address = 0, type = "bool" }
"""


def refusals(folder: Path, **files: str) -> list[str]:
    """What loading a folder with these files complains about."""
    for name, text in files.items():
        (folder / f"{name}.toml").write_text(text)
    with pytest.raises(Refused) as caught:
        profiles.load_profiles(folder)
    return [str(fault) for fault in caught.value.faults]


def test_installed_profiles_load() -> None:
    """Every committed profile loads under its file's name."""
    assert [path.stem for path in FILES] == list(profiles.load_profiles())


def test_schema_is_made_from_the_models() -> None:
    """The committed JSON Schema is what the models give today."""
    assert profiles.schema() == json.loads(profiles.SCHEMA.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_profile_is_valid_against_the_schema(path: Path) -> None:
    """Every committed profile is valid against the committed JSON Schema."""
    jsonschema.validate(tomllib.loads(path.read_text(encoding="utf-8")), json.loads(profiles.SCHEMA.read_text()))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_point_is_in_one_block(path: Path) -> None:
    """The read plan of every committed profile brings each of its points exactly once."""
    profile = profiles.load_profiles()[path.stem]
    assert sorted(profile.points) == sorted(point for block in plan(profile) for point in block.points)


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    """Faults of several files are refused together, each naming its file and key."""
    found = refusals(
        tmp_path,
        other=GOOD,
        broken="name = ",
        typo=GOOD.replace('"good"', '"typo"').replace("vendor", "vendro"),
    )
    assert [line.split(":")[:2] for line in found] == [
        ["broken.toml", " file"],
        ["other.toml", " name"],
        ["typo.toml", " vendor"],
        ["typo.toml", " vendro"],
    ]


@pytest.mark.parametrize(
    ("point", "allowed"),
    [
        ('table = "coil", address = 0, type = "uint16"', "a coil has type 'bool' and no bit"),
        ('table = "input", address = 0, type = "bool"', "type 'bool' names its bit"),
        ('table = "input", address = 0, type = "uint16", writable = true', "only a coil or a whole holding register"),
        ('table = "holding", address = 65535, type = "uint32"', "end at address 65535 or before"),
        ('table = "input", address = 0, type = "int16", scale = 0', "a scale other than 0"),
        ('table = "coil", address = 0, type = "bool", scale = 2', "neither scale nor offset"),
        ('table = "coil", address = 70000, type = "bool"', "less than or equal to 65535"),
        ('table = "relay", address = 0, type = "bool"', "'coil', 'discrete', 'input' or 'holding'"),
    ],
)
def test_impossible_point_is_refused(tmp_path: Path, point: str, allowed: str) -> None:
    """A point that its table cannot hold is refused with what is allowed."""
    (fault,) = refusals(tmp_path, good=f"{GOOD}x = {{ {point} }}\n")
    assert fault.startswith("good.toml: points.x") and allowed in fault


def test_point_names_are_plain(tmp_path: Path) -> None:
    """A point whose name is not small letters, digits and underscores is refused."""
    (fault,) = refusals(tmp_path, good=GOOD.replace("di1", '"DI 1"'))
    assert "small letters, digits and _" in fault


def test_empty_folder_is_refused(tmp_path: Path) -> None:
    """A folder without profiles is refused rather than taken for a house without devices."""
    assert refusals(tmp_path) == [f"{tmp_path}: folder: found no *.toml; allowed: at least one profile"]
