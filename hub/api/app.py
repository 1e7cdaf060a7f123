"""The application: every router, every problem, one hub behind it."""

from __future__ import annotations

from importlib.metadata import version

from fastapi import FastAPI

from hub.announcing import Told
from hub.api import (
    alarms,
    answering,
    drills,
    false_alarms,
    gaps,
    health,
    holds,
    incidents,
    levels,
    notices,
    orders,
    places,
    proofs,
    registry,
    sites,
    stream,
    telemetry,
    watch,
)
from hub.api.bounds import BoundedBodies
from hub.api.desk import Parts
from hub.api.problems import ProblemShape, install
from hub.api.shapes import model_of


def build(parts: Parts) -> FastAPI:
    """The API of one hub."""
    app = FastAPI(
        title="Lianfang hub",
        version=version("lianfang"),
        openapi_url="/api/v1/openapi.json",
        docs_url=None,
        redoc_url=None,
    )
    app.state.parts = parts
    for router in (
        incidents.router,
        false_alarms.router,
        alarms.router,
        holds.router,
        levels.router,
        notices.router,
        orders.router,
        places.router,
        proofs.router,
        drills.router,
        registry.router,
        telemetry.router,
        gaps.router,
        sites.router,
        stream.router,
        watch.router,
        health.summary,
    ):
        app.include_router(router, prefix="/api/v1")
    app.include_router(health.router)
    app.include_router(answering.router)
    install(app)
    app.add_middleware(BoundedBodies)
    _describe(app)
    return app


def _describe(app: FastAPI) -> None:
    """Put into OpenAPI what no endpoint returns as such: problems, and the live stream's event."""
    made = app.openapi
    shapes = (ProblemShape, model_of(Told))

    def described() -> dict[str, object]:
        found = made()
        schemas = found["components"]["schemas"]
        for shape in shapes:
            schema = shape.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {shape.__name__: schema}
        return found

    app.openapi = described  # type: ignore[method-assign]
