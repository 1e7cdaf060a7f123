"""Every input and every deadline of the desk, and who folds it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hub.core import (
    answers,
    drilling,
    escalation,
    holding,
    instructing,
    ladder,
    levels,
    linking,
    loading,
    moves,
    orders,
    proving,
    records,
    reloading,
)
from hub.core.acts import Answered, Moved
from hub.core.context import Context
from hub.core.heard import Conflicted, Gapped, Linked, Recorded, Replied, Twinned
from hub.core.hold import PutBack, Shelved, TakenOut
from hub.core.instruction import Instructed
from hub.core.io import Due, Input
from hub.core.plan import Levelled
from hub.core.reloaded import Reloaded
from hub.core.rules.base import Ignored, Verdict
from hub.core.trials import DrillMoved, DrillPlanned, Proved


def folded(ctx: Context, item: Input) -> Verdict:
    """What came of one input. Raises NotAllowed for what somebody may not do; then nothing was changed."""
    return _came(ctx, item) if isinstance(item, Due) else FOLDS[type(item)](ctx, item)


def _came(ctx: Context, item: Due) -> Verdict:
    due_ms = ctx.tables.timers.get((item.area, item.timer))
    if due_ms is None or due_ms > ctx.at_ms:
        return Ignored("the deadline was withdrawn or moved", effective=False)
    sort, _, name = item.timer.partition(":")
    return TIMERS[sort](ctx, name)


FOLDS: dict[type, Callable[[Context, Any], Verdict]] = {
    Recorded: records.recorded,
    Replied: instructing.answered,
    Moved: moves.move,
    Answered: answers.answered,
    Instructed: instructing.instructed,
    Levelled: levels.levelled,
    Shelved: holding.shelved,
    TakenOut: holding.taken_out,
    PutBack: holding.put_back,
    DrillPlanned: drilling.planned,
    DrillMoved: drilling.moved,
    Proved: proving.proved,
    Linked: linking.linked,
    Conflicted: records.conflicted,
    Gapped: records.gapped,
    Twinned: linking.twinned,
    Reloaded: reloading.reloaded,
}
"""Who takes an input."""

TIMERS: dict[str, Callable[[Context, str], Verdict]] = {
    escalation.ACCEPT.removesuffix(":"): escalation.climb,
    levels.TIMER.removesuffix(":"): levels.come,
    ladder.TIMER.removesuffix(":"): ladder.come,
    holding.UNSHELVE.removesuffix(":"): holding.expired,
    holding.REVIEWS.removesuffix(":"): holding.review_due,
    loading.TIMER.removesuffix(":"): loading.come,
    orders.RETRY.removesuffix(":"): instructing.retried,
    instructing.LET_GO.removesuffix(":"): instructing.let_go,
    moves.ARCHIVE.removesuffix(":"): moves.archived,
    moves.FORGET.removesuffix(":"): moves.forgotten,
    drilling.TIMER.removesuffix(":"): drilling.come,
    proving.DEADLINE.removesuffix(":"): proving.missing,
    proving.NOTICE.removesuffix(":"): proving.gave_up,
}
"""Who takes a deadline, by what its name begins with."""
