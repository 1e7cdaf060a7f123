"""Logs of both programs: JSON lines on standard error, for journald, those of libraries and last words among them."""

from __future__ import annotations

import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TextIO

import structlog

LEVELS = ("debug", "info", "warning", "error")


class Steady:
    """A stream that loses lines rather than the program: its disk may be full, its reader gone."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write, or not."""
        try:
            return self._stream.write(text)
        except (OSError, ValueError):
            return 0

    def flush(self) -> None:
        """Flush, or not."""
        try:
            self._stream.flush()
        except (OSError, ValueError):
            return


def set_up(level: str, program: str) -> None:
    """Send every log line from `level` on to stderr as JSON; `program` ("the gateway") is what ends by an error.

    Raises ValueError for an unknown level.
    """
    if level not in LEVELS:
        raise ValueError(f"found {level!r}; allowed: {', '.join(LEVELS)}")
    number = logging.getLevelNamesMapping()[level.upper()]
    stream = Steady(sys.stderr)
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.format_exc_info,
    ]
    structlog.configure(
        processors=[*shared, structlog.processors.JSONRenderer(ensure_ascii=False)],
        wrapper_class=structlog.make_filtering_bound_logger(number),
        logger_factory=structlog.PrintLoggerFactory(stream),  # type: ignore[arg-type]  # it writes and flushes
        cache_logger_on_first_use=True,
    )
    libraries = logging.StreamHandler(stream)
    libraries.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.JSONRenderer(ensure_ascii=False),
            ],
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
        )
    )
    logging.basicConfig(level=max(number, logging.WARNING), handlers=[libraries], force=True)

    def last_words(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        structlog.get_logger("lianfang").critical(f"{program} ends by an error", exc_info=(kind, error, trace))

    sys.excepthook = last_words
    threading.excepthook = _thread_died


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing less than critical is logged meanwhile: what a fold of the past logs is told by its report."""
    before = structlog.get_config()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    try:
        yield
    finally:
        structlog.configure(**before)


def _thread_died(died: threading.ExceptHookArgs) -> None:
    error = died.exc_value or died.exc_type()
    name = died.thread.name if died.thread is not None else "unknown"
    log = structlog.get_logger("lianfang")
    log.critical("a thread ended by an error", thread=name, exc_info=(died.exc_type, error, died.exc_traceback))
