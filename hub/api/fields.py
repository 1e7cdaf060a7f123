"""What many requests carry, and within which bounds."""

from __future__ import annotations

from typing import Annotated

from fastapi import Path
from pydantic import Field, StringConstraints

from hub.table import Id
from protocol.records import WALL_MS_MAX

Place = Annotated[Id, Path(description="the area")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=4_000, strip_whitespace=True)]
WallMs = Annotated[int, Field(ge=0, le=WALL_MS_MAX, description="hub wall ms")]
