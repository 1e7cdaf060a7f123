"""A refusal names where, which key, what was found and what is allowed, all at once."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from protocol.faults import Fault, Refused, from_pydantic, path_of, shown


class Zone(BaseModel):
    """A small model with each kind of rule."""

    model_config = ConfigDict(extra="forbid")
    kind: Literal["door", "smoke"]
    fresh_ms: Annotated[int, Field(ge=100)]
    source: str

    @field_validator("source")
    @classmethod
    def _two_parts(cls, text: str) -> str:
        if "/" not in text:
            raise ValueError("device/point")
        return text


class Site(BaseModel):
    """Zones in a list, so that places have numbers."""

    zones: list[Zone]


def test_all_faults_of_a_model_come_at_once() -> None:
    """Each rule broken is one fault with its place, what was found and what is allowed."""
    with pytest.raises(ValidationError) as caught:
        Site.model_validate(
            {"zones": [{"kind": "dor", "fresh_ms": 5, "source": "x", "colour": "red"}, {"kind": "door"}]}
        )
    assert from_pydantic(caught.value.errors(), "site.toml") == [
        Fault("site.toml", "zones[0].kind", "'dor'", "'door' or 'smoke'"),
        Fault("site.toml", "zones[0].fresh_ms", "5", "greater than or equal to 100"),
        Fault("site.toml", "zones[0].source", "'x'", "device/point"),
        Fault("site.toml", "zones[0].colour", "'red'", "no such key here"),
        Fault("site.toml", "zones[1].fresh_ms", "nothing", "this key is required"),
        Fault("site.toml", "zones[1].source", "nothing", "this key is required"),
    ]


def test_place_before_the_model_is_kept() -> None:
    """A part checked by itself still names its place in the whole file."""
    with pytest.raises(ValidationError) as caught:
        Zone.model_validate({"kind": "door", "fresh_ms": 100})
    assert [fault.key for fault in from_pydantic(caught.value.errors(), "site.toml", ("zones", 3))] == [
        "zones[3].source"
    ]


def test_refusal_says_one_fault_a_line() -> None:
    """What an installer reads."""
    refused = Refused([Fault("a.toml", "x", "1", "2"), Fault("b.toml", "y[0].z", "nothing", "this key is required")])
    assert (
        str(refused) == "a.toml: x: found 1; allowed: 2\nb.toml: y[0].z: found nothing; allowed: this key is required"
    )
    assert len(refused.faults) == 2


def test_refusal_without_a_fault_is_a_bug() -> None:
    """Nobody is refused for nothing."""
    with pytest.raises(AssertionError, match="at least one"):
        Refused([])


@pytest.mark.parametrize(
    ("location", "text"),
    [((), ""), (("zone",), "zone"), (("zone", 3, "kind"), "zone[3].kind"), ((0, "a", 1, 2), "[0].a[1][2]")],
)
def test_path_is_written_as_people_read_it(location: tuple[str | int, ...], text: str) -> None:
    """Numbers stand in brackets, names after dots."""
    assert path_of(location) == text


@pytest.mark.parametrize(("length", "expected"), [(78, 80), (79, 80), (1_000_000, 80)])
def test_long_value_is_cut(length: int, expected: int) -> None:
    """A refusal never carries a whole file back; what is cut ends in an ellipsis."""
    text = shown("x" * length)
    assert len(text) == expected
    assert text.endswith("…") == (length > 78)
