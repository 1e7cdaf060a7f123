"""Lines to a server that may refuse some of them: those are separated, and never tried again."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hub.measures.line import chunks

BODY_BYTES_MAX = 2 * 1024 * 1024
"""Bytes of lines in one request, before they are compressed; servers take 25 MB and more."""


class BatchRefused(Exception):
    """The server understood the request and does not take some of its lines, and never will. `dropped`: how many it
    says it dropped, None where it does not say."""

    def __init__(self, why: str, dropped: int | None = None) -> None:
        super().__init__(why)
        self.dropped = dropped


def deliver(lines: Iterable[bytes], post: Callable[[Sequence[bytes]], None]) -> list[tuple[bytes, str]]:
    """Post all lines; gives those the server refuses, each with its reason. A batch that is refused is halved until the
    bad lines stand alone, so a batch of n lines costs 2n requests at worst, and one where all are good. What the server
    took of a refused batch is written again over itself. Whatever else `post` raises means that nothing is known."""
    refused: list[tuple[bytes, str]] = []
    waiting = list(chunks(lines, BODY_BYTES_MAX))[::-1]
    while waiting:
        some = waiting.pop()
        try:
            post(some)
        except BatchRefused as cause:
            if len(some) == 1 or cause.dropped == len(some):
                refused += [(line, str(cause)) for line in some]
            else:
                middle = len(some) // 2
                waiting += [some[middle:], some[:middle]]
    return refused
