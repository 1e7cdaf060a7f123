"""The hub put together: every part, every task by name, and a clean end."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Callable, Coroutine, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

import structlog
import uvicorn

from hub import beginning, gauges
from hub.api.app import build
from hub.api.desk import Parts
from hub.checkpointing import Checkpointing, task_of
from hub.clerk import Clerk
from hub.clock import HubClock
from hub.connections import Connections, secret_name
from hub.core.desk import Desk
from hub.core.io import Input
from hub.defaults import load_defaults
from hub.effects import Effects
from hub.erasable import Erasable
from hub.intake import Intake
from hub.journal import PAGES_KEPT_MS, JournalMoved
from hub.live import LiveStream
from hub.measures.point import Value
from hub.measuring import Measuring
from hub.metrics import Metrics
from hub.notify.telling import Teller, telling
from hub.rebuild import rebuild
from hub.receipting import Receipting
from hub.recorder import Recorder
from hub.registry import Loaded
from hub.registry import load as load_registry
from hub.registry.history import FOLDER, History
from hub.reloading import Reloading
from hub.room import Room, free_bytes
from hub.rounds import Rounds
from hub.settings import Settings
from hub.sites import Sites
from hub.tickets import Tickets
from hub.troubles import JOURNAL, TELEMETRY, Troubles
from hub.watching import Watching
from hub.workings import Workings
from protocol.faults import Fault, Refused
from protocol.link import LinkError
from protocol.records import Lane

END_S = 0.6
"""How long the API may take to let its clients go, and the broker to hear that this hub does."""


Job: TypeAlias = Coroutine[Any, Any, None]


class Hub:
    """One hub. `run` goes on until cancelled or `stop`ped; `listening` is set once the API answers, at `address`.

    `loaded` is the registry its settings name, where it was read already: a county's takes half a minute.
    """

    def __init__(self, settings: Settings, loaded: Loaded | None = None) -> None:
        self.settings = settings
        self._loaded = loaded
        self.listening = asyncio.Event()
        self.address: tuple[str, int] | None = None
        self.parts: Parts | None = None
        self.free_bytes: Callable[[Path], int] = free_bytes
        self._asked = False
        self._stopping = asyncio.Event()
        self._log = structlog.get_logger("hub")

    def stop(self) -> None:
        """Ask the hub to end."""
        self._stopping.set()

    def reload(self) -> None:
        """Ask the hub to read its registry again; where it is not up yet, once it is."""
        self._asked = True
        if self.parts is not None:
            self.parts.reloading.ask()

    async def run(self) -> None:
        """Put everything together and run it.

        Raises Refused for what the configuration names and is not usable (the journal among it), JournalMoved when
        the journal was written to by somebody else.
        """
        with contextlib.closing(self._listen()) as listener, self.built() as (tasks, parts, connections):
            self.parts = parts
            if self._asked:
                parts.reloading.ask()
            server = _Server(_served(parts), self._started)
            try:
                async with asyncio.TaskGroup() as group:
                    running = [group.create_task(job, name=name) for name, job in tasks.items()]
                    running.append(group.create_task(server.serve([listener]), name="api"))
                    await self._stopping.wait()
                    parts.live.close()
                    server.should_exit = True
                    farewell = group.create_task(_farewell(connections), name="farewell")
                    await asyncio.wait([running[-1], farewell], timeout=END_S)
                    for task in running:
                        task.cancel()
            except* JournalMoved as moved:
                raise JournalMoved(str(moved.exceptions[0])) from None
            finally:
                parts.live.close()
        self._log.info("ended")

    def _listen(self) -> socket.socket:
        api = self.settings.api
        try:
            listener = socket.create_server((api.host, api.port), backlog=128)
        except OSError as cause:
            fault = Fault("hub", "api.port", f"{api.host}:{api.port} ({cause.strerror})", "an address that is free")
            raise Refused([fault]) from cause
        self.address = listener.getsockname()[:2]
        return listener

    def _started(self) -> None:
        assert self.address is not None
        self._log.info("listening", host=self.address[0], port=self.address[1])
        self.listening.set()

    @contextlib.contextmanager
    def built(self) -> Iterator[tuple[dict[str, Job], Parts, Connections]]:
        """Every part, and the tasks to run them; closes files when left."""
        settings, metrics = self.settings, Metrics()
        loaded = self._loaded or load_registry(settings.hub.registry)
        registry = loaded.registry
        defaults = load_defaults(settings.hub.defaults)
        desk = Desk(registry, defaults)
        with contextlib.ExitStack() as stack:
            stack.callback(beginning.held(settings).release)
            private = beginning.key(settings)
            with beginning.readable(settings):
                journal = stack.enter_context(beginning.journal(settings, desk.config_digest))
                formerly = History(settings.hub.data_dir / FOLDER).formerly(defaults)
                rebuilt = rebuild(desk, journal, beginning.checkpoint(settings), formerly)
            clock = HubClock(rebuilt.last_ms)
            store = stack.enter_context(contextlib.closing(beginning.store(settings, registry, clock.now_ms)))
            rounds = Rounds(desk, clock, metrics, rebuilt.digests, batch_max=settings.journal.batch)
            clerk = Clerk(rounds, journal)
            stack.callback(clerk.writer.shutdown)
            intake = Intake(metrics)
            recorder = Recorder(intake, store, metrics, settings.telemetry.linger_ms)
            stack.callback(recorder.writer.shutdown)
            with beginning.readable(settings):
                erasable = Erasable(journal, clerk.writer)
            session = secrets.token_hex(16)
            live = LiveStream(session[:8], metrics)
            receipting = Receipting(settings.hub.id, rounds, intake, clock, defaults.credit, metrics)
            announcer = Teller(desk, live, erasable, metrics)
            effects = Effects(announcer, receipting, metrics, settings.key_name, private)
            troubles = Troubles(desk, live, clock, metrics)
            rounds.trouble = partial(troubles.tell, JOURNAL)
            intake.trouble_told = partial(troubles.tell, TELEMETRY)
            room = Room(settings.hub.data_dir, settings.telemetry.reserve_mb, metrics, self.free_bytes)

            def hold(inputs: Iterable[Input]) -> None:
                held = list(inputs)
                effects.hold(held)
                troubles.hold(held)

            def room_changed(short: str | None) -> None:
                intake.make_room(short)
                if short is None:
                    receipting.release_telemetry()

            room.changed = room_changed
            own = (settings.hub.id, session)
            inside = Workings(*own, desk, registry, clock, rounds, intake, receipting, effects, metrics)
            rounds.hold = hold
            links, ingest, downlink = inside.links, inside.ingest, inside.downlink
            connections = Connections(downlink, settings.mqtt, secret_name(private))
            sites = Sites(settings.sites, registry, links, receipting.alarm_out, clock, metrics)
            ingest.running, ingest.configured = sites.born, sites.answered
            good_ms = defaults.calls.answer_link_ms
            tickets = Tickets(private, settings.api.public_url, good_ms, desk.incident, clock.now_ms)
            told = telling(stack, settings, loaded, desk, clock, live, metrics, inside.proofs, tickets.link)
            announcer.notifier = told.notifier
            troubles.page, troubles.page_waiting = told.notifier.trouble, told.notifier.held
            own_parts = (desk, rounds, inside, sites, told.people, erasable, troubles, metrics)
            reloading = Reloading(settings, loaded, *own_parts)
            with beginning.readable(settings):
                pages = journal.pages(clock.now_ms() - PAGES_KEPT_MS)
                told.resume(pages)
            inside.start()

            def allowed() -> dict[str, Value]:
                gauges.look(metrics, desk, store.tally, clock.now_ms())
                return {f"credit_{lane.value}": credit for lane, credit in receipting.credits().items()}

            own_points = Measuring(
                announcer, settings.hub.id, desk, registry, links, sites.state, clock, metrics, allowed
            )
            effects.announcer, intake.stored = own_points, own_points.stored
            reloading.followers.append(own_points.under)
            own_points.recall(pages)
            tasks: dict[str, Job] = {
                "clerk": clerk.run(),
                "recorder": recorder.run(),
                "prune": recorder.prune(clock.now_ms, settings.telemetry.keep_mb * 2**20),
                "downsampling": recorder.downsample(clock.now_ms),
                "receipts": recorder.receipt(receipting),
                "measures": own_points.run(),
                "own points": own_points.write(partial(recorder.call, store.put)),
                "watch": ingest.watch(),
                "room": room.run(),
                "watch book": Watching(journal, clerk.writer, clock.now_ms, downlink.state).run(),
                "checkpoints": Checkpointing(
                    lambda: task_of(settings, desk.config_digest), journal, rebuilt.skipped
                ).run(),
                "sites": sites.run(),
                "registry": reloading.run(),
                "closer": recorder.close_holes(inside.closer),
                "channels": told.sending.run(),
                "outbox": told.outbox.run(),
                "old notices": told.outbox.prune(clock.now_ms),
                "alarm lane": connections.run(Lane.ALARM),
                "telemetry lane": connections.run(Lane.TELEMETRY),
            }
            parts = Parts(
                hub=settings.hub.id,
                desk=desk,
                clerk=clerk,
                reloading=reloading,
                recorder=recorder,
                store=store,
                measuring=own_points,
                links=links,
                sites=sites,
                live=live,
                erasable=erasable,
                clock=clock,
                metrics=metrics,
                troubles=troubles,
                telling=told,
                people=settings.person,
                tickets=tickets,
                broker=downlink.state,
                chain="" if rebuilt.broken is None else f"the chain is broken: {rebuilt.broken}",
            )
            yield tasks, parts, connections


async def _farewell(connections: Connections) -> None:
    with contextlib.suppress(LinkError, TimeoutError):
        async with asyncio.timeout(END_S):
            await connections.farewell()


def _served(parts: Parts) -> uvicorn.Config:
    return uvicorn.Config(
        build(parts), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1, ws="none"
    )


class _Server(uvicorn.Server):
    """Runs inside the hub's loop: signals are the hub's own, and it says when it answers."""

    def __init__(self, config: uvicorn.Config, started: Callable[[], None]) -> None:
        super().__init__(config)
        self._told = started

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals alone."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to listen, and say so."""
        await super().startup(sockets)
        self._told()
