"""What a connection sends next: alarms by rank and side by side, telemetry one message at a time and behind them."""

from __future__ import annotations

from edge.core.delivery import Delivery
from edge.core.entries import Entry, Limits
from edge.core.pacing import HOLD_MS, NS, SIZE_FIRST, Pacing
from edge.core.sending import COMMON_BYTES, URGENT_BYTES, URGENT_MAX, AlarmSending, TelemetrySending

LIMITS = Limits(records_max=1_000, bytes_max=10_000_000)


def lane(*priorities: int, size: int = 100) -> Delivery:
    """A lane with one record of each priority, in this order."""
    delivery = Delivery(LIMITS)
    for seq, priority in enumerate(priorities, 1):
        assert delivery.offer(Entry("1" * 32, 1, "0" * 32, seq, priority, 0, b"x" * size)).stored
    return delivery


def seqs(sending: AlarmSending | TelemetrySending, now_ns: int = 0) -> list[int]:
    """The records of the next message; none when nothing may go."""
    flight = sending.take(now_ns)
    return [entry.seq for entry in flight.batch.entries] if flight is not None else []


def test_urgent_records_leave_before_common_ones_that_were_there_first() -> None:
    """P1 and P2 together, then the rest in a message of its own."""
    sending = AlarmSending(lane(4, 3, 2, 1))
    assert [[4, 3], [2, 1], []] == [sorted(seqs(sending), reverse=True) for _ in range(3)]


def test_one_common_message_is_on_its_way_and_never_stands_before_a_press() -> None:
    """The second waits for the acknowledgement of the first; a panic does not."""
    delivery = lane(*[4] * 30)
    sending = AlarmSending(delivery)
    first = sending.take(0)
    assert first is not None and (False, COMMON_BYTES // 100) == (first.urgent, len(first.batch.entries))
    assert [] == seqs(sending)
    delivery.offer(Entry("1" * 32, 1, "0" * 32, 99, 1, 0, b"x"))
    assert [99] == seqs(sending)
    sending.acknowledged(first, 2_000, 0)
    assert list(range(21, 31)) == seqs(sending)


def test_so_many_urgent_messages_are_on_their_way_at_once() -> None:
    """What is acknowledged makes room for one more."""
    sending = AlarmSending(lane(*[1] * 40, size=URGENT_BYTES))
    flights = [flight for _ in range(40) if (flight := sending.take(0)) is not None]
    # the ninth goes as the one common message: an idle place is of no use to anybody
    assert (URGENT_MAX + 1, [True] * URGENT_MAX + [False]) == (len(flights), [flight.urgent for flight in flights])
    sending.acknowledged(flights[0], URGENT_BYTES, 0)
    assert [URGENT_MAX + 2] == seqs(sending)


def test_an_idle_lane_is_looked_at_when_something_is_due_by_itself() -> None:
    """What was sent becomes due by silence; what waits for an acknowledgement waits for news."""
    sending = AlarmSending(lane(1))
    assert sending.next_ns(0) is None
    assert [1] == seqs(sending)
    assert LIMITS.silence_ms * NS == sending.next_ns(0)
    assert AlarmSending(lane()).next_ns(0) is None


def test_telemetry_goes_one_message_at_a_time_and_its_acknowledgement_steers_the_next() -> None:
    """A quick acknowledgement of a full message doubles the size."""
    pacing = Pacing()
    sending = TelemetrySending(lane(*[4] * 40), pacing)
    flight = sending.take(0)
    assert flight is not None and SIZE_FIRST // 100 == len(flight.batch.entries)
    assert ([], None) == (seqs(sending), sending.next_ns(0))
    sending.acknowledged(flight, SIZE_FIRST, 10 * NS)
    assert (2 * SIZE_FIRST, 2 * SIZE_FIRST // 100) == (pacing.size, len(seqs(sending, 10 * NS)))


def test_telemetry_stands_back_while_an_alarm_waits_and_looks_again_at_the_end() -> None:
    """Nothing is taken until the hold is over, unless the alarm has its receipt before."""
    pacing = Pacing()
    sending = TelemetrySending(lane(4), pacing)
    pacing.alarm(5 * NS)
    assert ([], (5 + HOLD_MS) * NS) == (seqs(sending, 5 * NS), sending.next_ns(5 * NS))
    pacing.alarms_receipted()
    assert [1] == seqs(sending, 6 * NS)
