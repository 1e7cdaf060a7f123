"""What a batch of telemetry does to the books of the processes it is from. Pure, for every store alike."""

from __future__ import annotations

from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import replace

from hub.core import ledger
from hub.core.ledger import Book
from hub.store.port import Loss, Sample, Source
from protocol.ranges import Ranges


def settle(
    books: MutableMapping[Source, Book],
    samples: Sequence[Sample],
    settled: Mapping[Source, Ranges],
    losses: Sequence[Loss],
) -> list[Sample]:
    """The samples that are new. `books` has one of every source in the batch; their `came` is written to.

    What would be one run more of a process that has too many is left: it is neither written nor settled, and waits.
    """
    fresh = []
    tops = {source: book.top() for source, book in books.items()}  # what comes together is not missing meanwhile
    for sample in samples:
        source = source_of(sample)
        if sample.seq not in books[source].came and not ledger.crowded(books[source].came, sample.seq):
            books[source] = _come(books[source], sample.seq, sample.seq, tops[source])
            fresh.append(sample)
    for source, ranges in settled.items():
        for first, last in ranges:
            if ledger.crowded(books[source].came, first, last):
                continue
            books[source] = _come(books[source], first, last, tops[source])
    for loss in losses:
        books[loss.source] = _lost(books[loss.source], loss)
    return fresh


def source_of(sample: Sample) -> Source:
    """What its sequence is counted in."""
    return sample.area, sample.gateway, sample.instance


def _lost(book: Book, loss: Loss) -> Book:
    if loss.by_hub:
        return replace(book, account=ledger.closed(book, loss.last, loss.reason, loss.at_ms))
    declared = book.declared.copy()
    if ledger.crowded(declared, loss.first, loss.last) or not declared.add(loss.first, loss.last):
        return book
    account = ledger.given_up(book, loss.first, loss.last, loss.reason, loss.at_ms)
    return replace(book, declared=declared, account=account)


def _come(book: Book, first: int, last: int, top: int) -> Book:
    account = ledger.arrived(book, first, last, top=top)
    book.came.add(first, last)
    return book if account == book.account else replace(book, account=account)
