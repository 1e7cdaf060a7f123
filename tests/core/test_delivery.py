"""What a lane sends, resends, holds and gives up."""

from __future__ import annotations

from itertools import pairwise

import pytest

from edge.core.delivery import Delivery
from edge.core.entries import NS, STORE_MS, Entry, Limits

A = "a" * 32
B = "b" * 32
LIMITS = Limits(records_max=8, bytes_max=100_000, credit_first=4, silence_ms=100, backoff_ms=50, probe_ms=1_000)


def entry(seq: int, priority: int = 4, instance: str = A, boot: int = 1, same: str | None = None) -> Entry:
    return Entry(instance, boot, "kernel", seq, priority, 0, b"x" * 100, same)


def lane(*entries: Entry, limits: Limits = LIMITS) -> Delivery:
    delivery = Delivery(limits)
    for one in entries:
        delivery.offer(one)
    return delivery


def taken(delivery: Delivery, at_ms: int = 0, **bounds: int) -> list[int]:
    batch = delivery.take(at_ms * NS, bounds.pop("bytes_max", 10_000), **bounds)
    return [one.seq for one in batch.entries] if batch is not None else []


def test_important_records_go_first_then_in_sequence() -> None:
    """P1, then P2, then the rest by sequence."""
    assert taken(lane(entry(1, 4), entry(2, 2), entry(3, 3), entry(4, 1))) == [4, 2, 1, 3]


def test_no_more_is_in_flight_than_credit() -> None:
    """With credit 4 the fifth record waits."""
    delivery = lane(*(entry(seq) for seq in range(1, 7)))
    assert (taken(delivery), taken(delivery)) == ([1, 2, 3, 4], [])


def test_receipt_removes_its_ranges_only() -> None:
    """Records outside the receipted ranges stay."""
    delivery = lane(*(entry(seq) for seq in range(1, 7)))
    left = delivery.receipt({A: [(1, 2), (5, 5)]}, credit=10)
    assert ([one.seq for one in left], sorted(one.seq for one in delivery)) == ([1, 2, 5], [3, 4, 6])


def test_receipt_may_name_a_sequence_twice() -> None:
    """Ranges that overlap are odd and no harm: each record leaves once."""
    delivery = lane(entry(1), entry(2), entry(3))
    left = delivery.receipt({A: [(1, 2), (2, 2), (1, 2)]}, credit=10)
    assert ([one.seq for one in left], [one.seq for one in delivery]) == ([1, 2], [3])


def test_receipt_of_another_instance_removes_nothing() -> None:
    """Sequences belong to their instance."""
    delivery = lane(entry(1))
    assert (delivery.receipt({B: [(1, 9)]}, credit=4), len(delivery)) == ([], 1)


def test_receipt_may_cover_far_more_than_is_held() -> None:
    """A range up to 2^62 is no work."""
    delivery = lane(entry(1), entry(2))
    delivery.receipt({A: [(1, 2**62)]}, credit=4)
    assert len(delivery) == 0


def test_silence_leads_to_a_resend_after_its_backoff() -> None:
    """After the silence time and at most one back-off the record goes again; not before."""
    delivery = lane(entry(1))
    assert [taken(delivery, at) for at in (0, 99, 124, 151)] == [[1], [], [], [1]]


def test_backoff_grows_and_is_capped() -> None:
    """Pauses between sends grow, and never beyond silence plus the cap."""
    limits = Limits(records_max=8, bytes_max=10_000, silence_ms=100, backoff_ms=50, backoff_max_ms=400)
    delivery = lane(entry(1), limits=limits)
    sent = [at for at in range(20_000) if taken(delivery, at)]
    pauses = [b - a for a, b in pairwise(sent)]
    assert (pauses[0] <= 151, max(pauses) <= 501, min(pauses[6:]) >= 300) == (True, True, True)


def test_records_never_sent_go_before_those_that_met_silence() -> None:
    """A record the hub never receipts does not block what follows."""
    delivery = lane(entry(1))
    taken(delivery)
    delivery.offer(entry(2))
    assert taken(delivery, 500) == [2, 1]


def test_new_connection_resends_at_once() -> None:
    """Everything unreceipted goes again on a new connection."""
    delivery = lane(entry(1), entry(2))
    taken(delivery)
    delivery.resend()
    assert taken(delivery, 1) == [1, 2]


def test_credit_zero_holds() -> None:
    """With credit 0 nothing goes."""
    delivery = lane(entry(1))
    delivery.receipt({}, credit=0)
    assert taken(delivery, 0) == []


def test_held_lane_sends_one_probe_in_a_while() -> None:
    """A lost receipt cannot hold the lane for ever: one record goes each probe time."""
    delivery = lane(entry(1), entry(2))
    delivery.receipt({}, credit=0)
    assert [taken(delivery, at) for at in (0, 999, 1_000, 1_500, 2_000, 2_001)] == [[], [], [1], [], [2], []]


def test_credit_lifts_the_hold() -> None:
    """The next receipt with credit lets the lane go on at once."""
    delivery = lane(entry(1))
    delivery.receipt({}, credit=0)
    taken(delivery, 0)
    delivery.receipt({}, credit=4)
    assert taken(delivery, 1) == [1]


def test_lesser_records_in_flight_hold_no_alarm_back() -> None:
    """All credit is spent on P4s: P1 and P2 go all the same, to their own space at the hub, and P4s wait."""
    delivery = lane(*(entry(seq) for seq in range(1, 6)))
    assert taken(delivery) == [1, 2, 3, 4]
    delivery.offer(entry(6, 2))
    delivery.offer(entry(7, 1))
    assert delivery.next_due_ns(0) == 0
    assert (taken(delivery, rank_max=2), taken(delivery)) == ([7, 6], [])


def test_alarms_have_the_credit_among_themselves() -> None:
    """With credit 4 the fifth P1 waits, and so do lesser records behind four P1s in flight."""
    delivery = lane(*(entry(seq, 1) for seq in range(1, 6)), entry(6))
    assert (taken(delivery), taken(delivery)) == ([1, 2, 3, 4], [])
    delivery.receipt({A: [(1, 2)]}, credit=4)
    assert taken(delivery, 1) == [5, 6]


def test_panic_never_sent_passes_a_hold_and_only_once() -> None:
    """The receipt that lifts a hold may be lost: a press waits for no probe, but sent again it is only as one."""
    delivery = lane(entry(1), entry(2, 2))
    delivery.receipt({}, credit=0)
    assert taken(delivery, 0) == []
    delivery.offer(entry(3, 1))
    assert delivery.next_due_ns(5 * NS) == 5 * NS
    assert [taken(delivery, at) for at in (5, 6, 400, 900, 1_004, 1_005)] == [[3], [], [], [], [], [3]]


def test_few_panics_pass_a_hold_at_once() -> None:
    """A lane full of presses is no storm: 16 are in flight, the others wait for their silence."""
    delivery = lane(*(entry(seq, 1) for seq in range(1, 31)), limits=Limits(40, 100_000, silence_ms=100))
    delivery.receipt({}, credit=0)
    assert [len(taken(delivery, at)) for at in (0, 99, 100, 200)] == [16, 0, 14, 0]


def test_gap_told_as_a_probe_is_the_probe() -> None:
    """A held lane with only a loss to tell says it once each probe time, not each silence time."""
    delivery = lane(entry(1))
    delivery.receipt({}, credit=0)
    assert delivery.take(0, 1_000) is None
    delivery.give_up(next(iter(delivery)), "test")
    told = [delivery.take(at * NS, 1_000) is not None for at in (999, 1_000, 1_200, 1_999, 2_000)]
    assert told == [False, True, False, False, True]


def test_new_hub_session_starts_with_fresh_credit() -> None:
    """A hold by the hub's earlier life does not bind its new one."""
    delivery = lane(entry(1))
    delivery.receipt({}, credit=0)
    delivery.resend(fresh_credit=True)
    assert taken(delivery, 0) == [1]


def test_message_holds_one_instance() -> None:
    """Records of an earlier instance go in their own message, the earlier first."""
    delivery = lane(entry(1, instance=B, boot=2), entry(1), entry(2))
    assert (taken(delivery), taken(delivery)) == ([1, 2], [1])


def test_message_is_bounded_in_bytes_but_never_empty() -> None:
    """250 bytes take two records of 100; 10 bytes take one."""
    delivery = lane(*(entry(seq) for seq in range(1, 5)))
    assert (taken(delivery, bytes_max=250), taken(delivery, bytes_max=10)) == ([1, 2], [3])


def test_full_lane_gives_up_its_oldest_and_says_so() -> None:
    """The ninth telemetry record pushes out the first, and the gap is told."""
    delivery = lane(*(entry(seq) for seq in range(1, 11)))
    gaps = [(gap.first, gap.last) for gap in delivery.gaps]
    assert (sorted(one.seq for one in delivery), gaps) == (list(range(3, 11)), [(1, 2)])


def test_gap_is_told_until_receipted() -> None:
    """A gap goes with a message, again after silence, and no more after its receipt."""
    delivery = lane(*(entry(seq) for seq in range(1, 10)))
    told = []
    for at_ms in (0, 50, 500):
        batch = delivery.take(at_ms * NS, 10_000)
        told.append([gap.first for gap in batch.gaps] if batch else [])
    delivery.receipt({A: [(1, 9)]}, credit=4)
    assert (told, delivery.take(9_000 * NS, 10_000)) == ([[1], [], [1]], None)


RESERVED = Limits(records_max=8, bytes_max=100_000, reserved=0.5, extra_max=2, credit_first=100)


def test_common_records_leave_the_reserved_space_free() -> None:
    """P4 fills half the lane; the other half is for P1 and P2."""
    delivery = lane(*(entry(seq, 4) for seq in range(1, 9)), limits=RESERVED)
    assert sorted(one.seq for one in delivery) == [5, 6, 7, 8]


def test_alarm_pushes_out_maintenance_never_the_reverse() -> None:
    """P2 displaces the oldest P4; a P4 finding only P1 and P2 is itself given up."""
    delivery = lane(entry(1, 4), *(entry(seq, 2) for seq in range(2, 10)), limits=RESERVED)
    outcome = delivery.offer(entry(10, 4))
    assert (sorted(one.seq for one in delivery), [one.seq for one in outcome.dropped]) == (list(range(2, 10)), [10])


def test_panic_in_a_lane_full_of_panic_is_held_in_memory_and_told() -> None:
    """The newest P1 is kept beyond the bounds, unstored, and the lane says it is full."""
    delivery = lane(*(entry(seq, 1) for seq in range(1, 9)), limits=RESERVED)
    outcome = delivery.offer(entry(9, 1))
    assert (len(delivery), outcome.stored, outcome.full, outcome.dropped) == (9, False, True, [])


def test_even_memory_has_a_bound() -> None:
    """Beyond the extra P1 the newest is given up with a gap."""
    delivery = lane(*(entry(seq, 1) for seq in range(1, 12)), limits=RESERVED)
    assert (len(delivery), [(gap.first, gap.last) for gap in delivery.gaps]) == (10, [(11, 11)])


def test_only_a_record_never_sent_has_a_twin() -> None:
    """What the hub may have seen is immutable and is not coalesced."""
    delivery = lane(entry(1, same="fault/z1"))
    before = delivery.held.twin("fault/z1")
    taken(delivery)
    assert (before is not None, delivery.held.twin("fault/z1")) == (True, None)


@pytest.mark.parametrize("held", [0, 4])
def test_next_due_is_now_exactly_when_something_may_go(held: int) -> None:
    """next_due_ns says now with credit, and the probe's time without."""
    delivery = lane(entry(1))
    delivery.receipt({}, credit=held)
    assert delivery.next_due_ns(7) == (7 if held else 7 + 1_000 * NS)


def test_nothing_is_due_in_an_empty_lane() -> None:
    """An empty lane wakes nobody."""
    assert lane().next_due_ns(0) is None


def test_long_outage_leaves_no_litter() -> None:
    """100,000 records through a lane of 8 leave its inner queues small."""
    delivery = lane(*(entry(seq) for seq in range(1, 100_001)))
    assert len(delivery._flights._ready) + len(delivery.held._victims[4]) + len(delivery.gaps) < 250


def test_what_the_disk_has_not_waits_for_it_a_moment() -> None:
    """Stored it goes at once; unstored when its time is over; what needs no disk goes before it. Sent and not stored, a
    press would be told anew by the process after a loss of power."""
    delivery = Delivery(LIMITS)
    for one in (entry(1, 1), entry(2, 1)):
        delivery.offer(one, unstored=True)
    delivery.offer(entry(3))
    assert [3] == taken(delivery)
    delivery.stored([(A, 2)])
    assert [2] == taken(delivery)
    assert STORE_MS * NS == delivery.next_due_ns(0)
    assert ([], [1]) == (taken(delivery, STORE_MS - 1), taken(delivery, STORE_MS))


def test_a_new_connection_does_not_send_what_the_disk_has_not() -> None:
    """Everything else is sent again."""
    delivery = lane(entry(1))
    delivery.offer(entry(2, 1), unstored=True)
    taken(delivery)
    delivery.resend()
    assert [1] == taken(delivery)
