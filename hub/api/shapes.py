"""The shapes of answers, for OpenAPI: pydantic models made from the very structs that are answered."""

from __future__ import annotations

from functools import reduce
from operator import or_
from types import UnionType
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from pydantic import BaseModel, Field, create_model

_MADE: dict[type[msgspec.Struct], type[BaseModel]] = {}


def model_of(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """The model of a struct, and of the structs in it; every field is always answered."""
    if struct not in _MADE:
        hints = get_type_hints(struct)
        fields: dict[str, Any] = {name: (_model(hints[name]), ...) for name in struct.__struct_fields__}
        _MADE[struct] = create_model(struct.__name__, __doc__=struct.__doc__, **fields)
    return _MADE[struct]


def _model(hint: Any) -> Any:
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return model_of(hint)
    origin, inner = get_origin(hint), get_args(hint)
    if origin is UnionType:
        return reduce(or_, map(_model, inner))
    if origin in (list, dict):
        return origin[tuple(map(_model, inner))] if origin is dict else list[_model(inner[0])]  # type: ignore[misc]
    if origin is UnionType:
        return reduce(or_, map(_model, inner))
    return hint


def page_of(struct: type[msgspec.Struct]) -> type[BaseModel]:
    """A list of them, with the cursor of what follows."""
    items: Any = list[model_of(struct)]  # type: ignore[misc]
    cursor: Any = (str | None, Field(description="give it as `cursor` to read on; null at the end"))
    return create_model(f"{struct.__name__}Page", items=(items, ...), next=cursor)
