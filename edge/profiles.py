"""A profile is one device model in one TOML file: what it has on its Modbus map and how much may be read at once.

The committed JSON Schema for editors is made from these models: `python -m edge.profiles > <schema file>`.
"""

from __future__ import annotations

import json
import sys
import tomllib
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from protocol.faults import Fault, Refused, from_pydantic, shown

Table: TypeAlias = Literal["coil", "discrete", "input", "holding"]
Kind: TypeAlias = Literal["bool", "uint16", "int16", "uint32", "int32", "uint64", "int64", "float32", "float64"]
WORDS: dict[Kind, int] = {
    "bool": 1, "uint16": 1, "int16": 1, "uint32": 2, "int32": 2, "uint64": 4, "int64": 4, "float32": 2, "float64": 4,
}  # fmt: skip
BIT_TABLES: tuple[Table, ...] = ("coil", "discrete")
FOLDER = Path(__file__).resolve().parent.parent / "firmware_configs" / "profiles"
SCHEMA = FOLDER.parent / "profile.schema.json"


class PointMap(BaseModel):
    """Where one point sits on the map. Its value is raw * scale + offset, in `unit`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    table: Table
    address: int = Field(ge=0, le=65535, description="as sent on the wire, counted from 0 (manuals often count from 1)")
    type: Kind
    bit: int | None = Field(None, ge=0, le=15, description="a bool inside a register; 0 is the least significant bit")
    word_order: Literal["big", "little"] = Field("big", description="which register of several comes first")
    scale: float = Field(1.0, description="multiplies the raw number")
    offset: float = Field(0.0, description="added after scaling")
    unit: str = Field("", max_length=16, description="physical unit of the scaled value, for instance V or s")
    writable: bool = False
    minimum: float | None = Field(None, description="lowest value that may be written, in `unit`")
    maximum: float | None = Field(None, description="highest value that may be written, in `unit`")
    title: str = Field("", max_length=120)

    @property
    def words(self) -> int:
        """How many addresses of its table the point covers."""
        return WORDS[self.type]

    @model_validator(mode="after")
    def _fits_its_table(self) -> PointMap:
        in_bits, is_bool = self.table in BIT_TABLES, self.type == "bool"
        if in_bits and not (is_bool and self.bit is None):
            raise ValueError(f"a {self.table} has type 'bool' and no bit")
        if not in_bits and is_bool != (self.bit is not None):
            raise ValueError("in a register, type 'bool' names its bit (0 to 15) and no other type has one")
        if self.writable and (self.table in ("discrete", "input") or self.bit is not None):
            raise ValueError("only a coil or a whole holding register is writable")
        if is_bool and (self.scale, self.offset) != (1.0, 0.0):
            raise ValueError("a bool has neither scale nor offset")
        if self.scale == 0:
            raise ValueError("a scale other than 0")
        if self.address + self.words > 65536:
            raise ValueError(f"the {self.words} registers of a {self.type} end at address 65535 or before")
        return self


class Profile(BaseModel):
    """One device model. `source` says where the map is from and which figures nobody has checked on a device."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$", description="the file's name without .toml")
    vendor: str = Field(min_length=1)
    model: str = Field(min_length=1)
    title: str = Field(min_length=1)
    source: str = Field(min_length=1)
    max_registers: int = Field(125, ge=1, le=125, description="most registers the device gives in one answer")
    max_bits: int = Field(2000, ge=1, le=2000, description="most coils or discrete inputs in one answer")
    max_gap: int = Field(0, ge=0, le=124, description="most unused addresses that may be read between two points")
    points: dict[str, PointMap] = Field(min_length=1)

    @model_validator(mode="after")
    def _points_are_named_and_readable(self) -> Profile:
        for name, point in self.points.items():
            if not (name.isascii() and name.replace("_", "a").isalnum() and name[0].isalpha() and name == name.lower()):
                raise ValueError(f"point {name!r}: small letters, digits and _, a letter first")
            if point.words > self.max_registers:
                raise ValueError(f"point {name!r}: a max_registers of at least {point.words}")
        return self


def load_profiles(folder: Path | None = None) -> dict[str, Profile]:
    """Read every profile of a folder (default: the ones installed with the software). Raises Refused."""
    folder = FOLDER if folder is None else folder
    profiles: dict[str, Profile] = {}
    faults: list[Fault] = []
    for path in sorted(folder.glob("*.toml")):
        try:
            profile = Profile.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
            faults.append(Fault(path.name, "file", shown(str(error)), "a readable TOML file in UTF-8"))
        except ValidationError as error:
            faults += from_pydantic(error.errors(), path.name)
        else:
            if profile.name != path.stem:
                faults.append(Fault(path.name, "name", shown(profile.name), f"the file's own name, {path.stem!r}"))
            profiles[profile.name] = profile
    if not profiles and not faults:
        faults.append(Fault(str(folder), "folder", "no *.toml", "at least one profile"))
    if faults:
        raise Refused(faults)
    return profiles


def schema() -> dict[str, Any]:
    """The JSON Schema of a profile file."""
    made = Profile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **made}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n")
