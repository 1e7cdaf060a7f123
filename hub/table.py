"""What every table of the hub's configuration is made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

Id = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9-]{0,62}$")]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Port = Annotated[int, Field(ge=0, le=65535)]


class Table(BaseModel):
    """Base of every table: no key that we do not know, nothing changed after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True)
