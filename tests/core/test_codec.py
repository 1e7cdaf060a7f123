"""Whatever the other end sends, decoding gives a message or a RemoteError with its reason, and nothing else."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.codec import SIZE_MAX, Reason, RemoteError, decode, decode_event, encode
from protocol.messages import Command, Config, Order, Owner
from protocol.records import Event
from tests.support.wire import MESSAGE, SAMPLES, kind_of, read

OWNER = SAMPLES["owner-area"]
COMMAND = SAMPLES["command-siren"]
DEEP = b"[" * 100_000
READERS: tuple[type[msgspec.Struct], ...] = (*MESSAGE.values(), Event, Order)


def refused(data: bytes, kind: type[msgspec.Struct] = Owner) -> RemoteError:
    """The refusal of a message that must not be read."""
    with pytest.raises(RemoteError) as caught:
        read(data, kind)
    return caught.value


def test_message_of_the_largest_size_is_read() -> None:
    """The limit itself is allowed."""
    config = Config(1, "0" * 64, "")
    full = msgspec.structs.replace(config, toml="#" * (SIZE_MAX - len(encode(config))))
    data = encode(full)
    assert len(data) == SIZE_MAX
    assert decode(data, Config) == full


def test_message_over_the_limit_is_refused_unread() -> None:
    """One byte more is oversized, even where it is no JSON at all."""
    error = refused(b"\xff" * (SIZE_MAX + 1))
    assert (error.reason, str(error)) == (Reason.OVERSIZED, "oversized: 262145 bytes; at most 262144")


def test_writing_an_oversized_message_is_a_bug_of_ours() -> None:
    """Nothing above the limit leaves this end."""
    with pytest.raises(AssertionError, match=r"Config of .* bytes"):
        encode(Config(1, "0" * 64, "#" * SIZE_MAX))


VERSIONS = {
    "missing": (b"", "missing"),
    "older": (b'"v":0,', "0"),
    "newer": (b'"v":2,', "2"),
    "negative": (b'"v":-1,', "-1"),
    "a string": (b'"v":"1",', '"1"'),
    "true": (b'"v":true,', "true"),
    "null": (b'"v":null,', "null"),
    "a fraction": (b'"v":1.0,', "1.0"),
    "beyond 64 bits": (b'"v":99999999999999999999,', "99999999999999999999"),
    "beyond a double": (b'"v":1e999,', "1e999"),
    "an object": (b'"v":{"v":1},', '{"v":1}'),
    "said twice": (b'"v":1,"v":2,', "2"),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_wrong_version_is_named(case: str) -> None:
    """Any version but ours is refused as such, whatever stands in its place, and quoted."""
    version, shown = VERSIONS[case]
    error = refused(OWNER.replace(b'"v":1,', version))
    assert (error.reason, str(error)) == (
        Reason.WRONG_VERSION,
        f"wrong_version: message version {shown}; read here: 1",
    )


def test_wrong_version_comes_before_the_rest() -> None:
    """A message of a version to come is called so, even where it no longer looks like ours."""
    assert refused(b'{"v":2,"everything":"else"}').reason is Reason.WRONG_VERSION


UNPARSABLE = {
    "nothing": b"",
    "blanks": b"  ",
    "text": b"hello",
    "null": b"null",
    "a list": b"[1]",
    "a truncated message": OWNER[:-5],
    "two messages": OWNER * 2,
    "a byte order mark": b"\xef\xbb\xbf" + OWNER,
    "UTF-16": OWNER.decode().encode("utf-16"),
    "NaN": OWNER.replace(b"7", b"NaN"),
    "Infinity": OWNER.replace(b"7", b"-Infinity"),
    "a leading zero": OWNER.replace(b"7}", b"07}"),
    "an integer beyond 64 bits": OWNER.replace(b"7}", b"9223372036854775808}"),
    "an integer of 100,000 digits": OWNER.replace(b"7}", b"9" * 100_000 + b"}"),
    "an exponent beyond a double": OWNER.replace(b"7}", b"1e999}"),
    "a fraction for a count": OWNER.replace(b"7}", b"7.0}"),
    "deep nesting": DEEP,
    "deep nesting in an unknown key": b'{"x":' + DEEP,
    "deep nesting as the version": b'{"v":' + DEEP,
    "deep nesting as the order": COMMAND.replace(b'"order":{', b'"order":{"x":' + b"[" * 9000 + b"]" * 9000 + b","),
    "bytes that are no UTF-8": OWNER.replace(b"hub-hengjie", b"hub-\xff"),
    "no UTF-8 in an unknown key": OWNER.replace(b"{", b'{"\xc3(":1,'),
    "no UTF-8 in an unknown value": OWNER.replace(b"{", b'{"x":"\xed\xa0\x80",'),
    "a newline after an id": OWNER.replace(b"hub-hengjie", b"hub-hengjie\\n"),
    "a newline after an instance": OWNER.replace(b"f9", b"f9\\n"),
    "capitals in an id": OWNER.replace(b"hub-hengjie", b"Hub"),
}


@pytest.mark.parametrize("case", UNPARSABLE)
def test_unparsable_is_refused(case: str) -> None:
    """Whatever is no message of ours is refused as unparsable."""
    kind = Command if "order" in case else Owner
    assert refused(UNPARSABLE[case], kind).reason is Reason.UNPARSABLE


SIGNATURES = (b"###", b"YWJ", b"YWJj====", b"YW\\nJj", b"YW-_", b"\\u0000", b"\\ud800", b"=")


@pytest.mark.parametrize("signature", SIGNATURES)
def test_signature_that_is_no_base64_is_refused(signature: bytes) -> None:
    """Base64 trouble is a refusal like any other."""
    before, mark, after = COMMAND.partition(b'"signature":"')
    data = before + mark + signature + b'"' + after.partition(b'"')[2]
    assert refused(data, Command).reason is Reason.UNPARSABLE


@pytest.mark.parametrize("text", [b"\\ud800", b"\\udc00", b"\\ud800\\u0041", b"\\udc00\\ud800"])
def test_lone_surrogate_is_refused(text: bytes) -> None:
    """A string that could not be stored again is never taken."""
    data = SAMPLES["config-site"].replace(b"[gateway]", text)
    assert refused(data, Config).reason is Reason.UNPARSABLE


def test_key_said_twice_counts_the_second_time() -> None:
    """Both ends read such a message alike."""
    assert decode(OWNER.replace(b"}", b',"token":8}'), Owner).token == 8


def test_refusal_fits_one_line_of_a_log() -> None:
    """What is quoted of a message is short and printable, so nobody writes our log for us."""
    rude = b"\\n\\u001b[2J\\u202e" + b"x" * 200_000
    for data, kind in (
        (OWNER.replace(b'"v":1', b'"v":"' + rude + b'"'), Owner),
        (COMMAND.replace(b'"action":"siren"', b'"action":"' + rude + b'"'), Command),
        (COMMAND.replace(b'"action":"siren"', b'"action":"\\n\\u001b[2J"'), Command),
    ):
        text = str(refused(data, kind))
        assert text.isprintable()
        assert len(text) < 300


def test_refused_event_says_what_and_where() -> None:
    """One bad record of a message is refused by itself, with its place."""
    with pytest.raises(RemoteError, match=r"unparsable: .*< 1|>= 1 - at `\$.seq`"):
        decode_event(b'{"seq":0}')


def returns_or_refuses(data: bytes, kind: type[msgspec.Struct]) -> None:
    """Decode to the last field; anything raised but RemoteError fails the test, and so does a bad reason."""
    try:
        read(data, kind)
    except RemoteError as error:
        assert error.reason in (Reason.UNPARSABLE, Reason.WRONG_VERSION, Reason.OVERSIZED)
        assert str(error).startswith(error.reason)


@settings(max_examples=1_000, deadline=None)
@given(st.binary(max_size=200), st.sampled_from(READERS))
def test_random_bytes_raise_nothing_but_a_refusal(data: bytes, kind: type[msgspec.Struct]) -> None:
    """No bytes at all get anything else out of the decoder."""
    returns_or_refuses(data, kind)


# Fragments at which JSON readers are known to stumble.
FRAGMENTS = st.sampled_from(
    [b"null", b"NaN", b"1e999", b"9" * 5_000, b"-0", b'"', b"\\ud800", b"\\u0000", b"\xff", b"\xed\xa0\x80", b"{", b"[",
     b"]", b"}", b",", b":", b"[" * 2_000, b'{"v":' * 1_500, b"\\", b"1.0", b"-1", b'"v":2,', b'"seq":0,',
     b"\n", b"\x00"]
)  # fmt: skip
EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 12), st.one_of(FRAGMENTS, st.binary(max_size=4))), min_size=1, max_size=4
)


@settings(max_examples=2_000, deadline=None)
@given(st.sampled_from(sorted(SAMPLES)), EDITS)
def test_mutated_samples_raise_nothing_but_a_refusal(name: str, edits: list[tuple[float, int, bytes]]) -> None:
    """No damage to a good message gets anything else out of the decoder."""
    data = SAMPLES[name]
    for place, cut, put in edits:
        at = int(place * len(data))
        data = data[:at] + put + data[at + cut :]
    returns_or_refuses(data, kind_of(name))


def test_other_messages_are_refused_or_skipped_over_by_every_reader() -> None:
    """A message on the wrong topic raises nothing but a refusal."""
    for name in SAMPLES:
        for kind in READERS:
            returns_or_refuses(SAMPLES[name], kind)
