"""JSON Schemas (draft 7, AsyncAPI's own) of everything on the wire, made from the structs that read it."""

from __future__ import annotations

import inspect
from typing import Any, TypeAlias

import msgspec

from protocol.codec import MESSAGES
from protocol.kinds import CODES
from protocol.messages import VERSIONS_READ, HubSession, Order, Owner
from protocol.records import Event

Schema: TypeAlias = dict[str, Any]

ROOTS: tuple[type[msgspec.Struct], ...] = (*MESSAGES.values(), HubSession, Owner, Event, Order)
REF = "#/components/schemas/{name}"
BASE64 = r"^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$(?!\n)"


def ref(kind: type) -> Schema:
    """Refer to the schema of a struct or enumeration."""
    return {"$ref": REF.format(name=kind.__name__)}


def schemas() -> dict[str, Schema]:
    """Name to schema of every struct and enumeration that crosses the wire; nothing in them accepts just anything."""
    _, made = msgspec.json.schema_components(ROOTS, ref_template=REF)
    components: dict[str, Schema] = {name: _draft7(made[name]) for name in sorted(made)}
    # What the decoder keeps as raw bytes or checks in code, msgspec cannot describe.
    components["AlarmItem"]["items"][1] = ref(Event)
    components["Command"]["properties"]["order"] = ref(Order)
    components["Command"]["properties"]["signature"]["pattern"] = BASE64
    components["Session"]["properties"]["queued"]["propertyNames"] = {"$ref": REF.format(name="Lane")}
    components["Kind"]["x-contact-id"] = {kind.value: code.contact_id for kind, code in CODES.items()}
    components["Kind"]["x-sia"] = {kind.value: code.sia for kind, code in CODES.items()}
    for schema in components.values():
        if "v" in schema.get("properties", {}):
            schema["properties"]["v"] = {"type": "integer", "enum": sorted(VERSIONS_READ)}
    for name, schema in components.items():
        assert not _anything(schema), f"{name} accepts anything at {_anything(schema)}"
    return components


def _draft7(node: Any) -> Any:
    """Tuples the way draft 7 writes them, and docstrings without their indentation."""
    if isinstance(node, list):
        return [_draft7(part) for part in node]
    if not isinstance(node, dict):
        return node
    out: Schema = {}
    for key, value in node.items():
        if key == "prefixItems":
            out["items"] = _draft7(value)
        elif key == "items" and "prefixItems" in node:
            out["additionalItems"] = value
        elif key == "description" and isinstance(value, str):
            out[key] = inspect.cleandoc(value)
        else:
            out[key] = _draft7(value)
    return out


def _anything(node: Any, path: str = "$") -> list[str]:
    """Where a schema is empty, that is: accepts anything."""
    if node == {}:
        return [path]
    if isinstance(node, list):
        return [found for part in node for found in _anything(part, path)]
    if not isinstance(node, dict):
        return []
    return [found for key, part in node.items() if key != "default" for found in _anything(part, f"{path}.{key}")]
