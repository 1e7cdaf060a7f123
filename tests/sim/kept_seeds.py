"""Seeds that failed once, of one simulated hour each, and why; none of them may fail again. Those of `KEPT_SEEDS` were
nights in which nothing struck together, and are drawn so."""

from __future__ import annotations

KEPT_SEEDS: dict[int, str] = {
    14: "a press while its board had no power was let go before the first look at it (the simulated person)",
    15: "an interval reckoned from boot numbers that a card put back had begun anew (hub/core/clocks.py)",
    19: "credit that came back with a new hub session was taken for a line that had been free (the witness)",
    24: "a press that crossed its stand-down left the lamp dark, and was held for ever (the simulated person)",
    31: "a stamp without a clock, said to be past, ran ahead with its quartz (edge/clock.py)",
    36: "an end that was long under way cleared what began after it (hub/core/conditions.py)",
    50: "a loss of link told twice under one name made an incident a part of itself (hub/links.py, windows.py)",
    59: "a contact left out for chatter was taken for one that was forgotten (the oracle)",
    76: "a button pressed anew while its gateway was dead was swallowed as still present (edge/core/alarms.py)",
    89: "a lamp that blinked in step with the looks at it was never seen lit (the simulated person)",
    171: "an age counted by a quartz that runs fast put a record before its time (hub/core/timing.py)",
    175: "a record not yet written again after its card was well went with the power (the oracle)",
    268: "a press within the debounce of the one before was taken for two (the oracle)",
}

KEPT_STRUCK: dict[int, str] = {
    1: "a loss shared by two groups was a child of both their cuts, and one cut no part of the outage (grouping.py)",
    2: "a fault that took no way out was part of an area outage (grouping.py)",
    7: "a lamp that said somebody is coming, of the call before, was taken for one that said stored (the oracle)",
    18: "a gateway let go as still lost was looked for in the other group's cut (the oracle)",
    22: "a cut that was resolved was raised again by a loss minutes later (grouping.py)",
    26: "a pair of intrusions left its sabotage when one of them was resolved (grouping.py)",
}
