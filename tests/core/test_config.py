"""The site file: taken whole, or refused with every fault named."""

from __future__ import annotations

import base64
import hashlib
import tomllib
from datetime import timedelta
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from edge.config import Config, load, parse, parse_set
from edge.config.model import SiteFile
from edge.config.schema import PATH, schema, text
from edge.config.words import told
from edge.core.site import Arming, Contact, Mode, Output, Role, ZoneKind
from edge.core.zone import judged
from edge.profiles import load_profiles
from protocol.codec import SIZE_MAX, encode
from protocol.faults import Fault, Refused
from protocol.ids import ID_ALLOWED
from protocol.messages import Birth, ZoneBorn
from protocol.records import ClockQuality, Condition, Stamp
from protocol.tls import client_context
from tests.support.pki import Authority

SITES = sorted((Path(__file__).parents[2] / "firmware_configs" / "sites").glob("*.toml"))
PROFILES = load_profiles()
GOOD = """
[gateway]
id = "gw-east"
area = "hengjie"
[mqtt]
host = "127.0.0.1"
[[bus]]
id = "buttons"
driver = "gpio_sim"
socket = "/run/x.sock"
lines = { p = { offset = 1 }, s = { offset = 2, direction = "out" }, l = { offset = 3, direction = "out" } }
[[bus]]
id = "lan"
driver = "modbus_tcp"
host = "127.0.0.1"
timeout_ms = 300
[[device]]
id = "doors"
bus = "lan"
unit = 1
profile = "waveshare-io-8ch"
[[device]]
id = "loops"
bus = "lan"
unit = 2
profile = "waveshare-analog-8ch"
[[premises]]
id = "h01"
kind = "household"
groups = ["east"]
[[group]]
id = "east"
members = ["h01", "h02"]
[[zone]]
id = "h01-panic"
premises = "h01"
kind = "panic"
source = "buttons/p"
active = true
lamp = "buttons/l"
[[zone]]
id = "h01-door"
premises = "h01"
kind = "door"
source = "doors/di1"
normal = "closed"
entry_route = true
[[output]]
id = "h01-siren"
premises = "h01"
role = "siren"
target = "buttons/s"
"""


def public_text_of(public: Ed25519PublicKey) -> str:
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


def read(toml: str, folder: Path = Path(), **overrides: object) -> Config:
    return parse(toml.encode(), "site.toml", folder, PROFILES, {k.replace("__", "."): v for k, v in overrides.items()})


def faults_of(toml: str, folder: Path = Path(), **overrides: object) -> list[Fault]:
    with pytest.raises(Refused) as refused:
        read(toml, folder, **overrides)
    return list(refused.value.faults)


def only(toml: str) -> tuple[str, str, str]:
    [fault] = faults_of(toml)
    return fault.key, fault.value, fault.allowed


def test_a_good_file_becomes_a_site() -> None:
    """Zones, premises, outputs and groups with the defaults of their kinds."""
    config = read(GOOD)
    panic, door = config.site.zones
    assert (panic.judge, panic.arming, panic.latches) == (Contact(True), Arming.ALWAYS, True)
    assert (door.judge, door.arming, door.entry_route) == (Contact(False), Arming.PERIMETER, True)
    assert config.site.outputs[1] == Output("h01-panic-lamp", "h01", Role.LAMP, "buttons/l", "h01-panic")
    assert config.site.premises[0].mode is Mode.DISARMED
    assert config.site.groups == {"east": ("h01", "h02")}
    assert [bus.id for bus in config.buses] == ["buttons", "lan"]


def test_freshness_is_two_polls_and_one_time_out() -> None:
    """Of the device's own bus; a chip of events is read again every alive_ms instead."""
    assert read(GOOD).site.fresh == {"buttons": 2_250, "doors": 500, "loops": 500}


def test_a_button_on_gpio_counts_at_its_first_edge() -> None:
    """The kernel has debounced it; every other contact must hold for 30 ms."""
    panic, door = read(GOOD).site.zones
    assert [(panic.on_ms, panic.off_ms), (door.on_ms, door.off_ms)] == [(0, 30), (30, 30)]


@pytest.mark.parametrize(("profile", "expected"), [("20s", 6_000), ("90s", 30_000), ("3min", 60_000)])
def test_the_heartbeat_follows_the_reporting_profile(profile: str, expected: int) -> None:
    """A third of the reporting time at most."""
    config = read(GOOD, gateway__profile=profile)
    assert (config.heartbeat_ms, config.profile_ms >= 3 * config.heartbeat_ms) == (expected, True)


def test_the_digest_is_of_the_text() -> None:
    """As the hub computes it over the file it wants."""
    config = read(GOOD)
    assert config.sha256 == config.site.digest == hashlib.sha256(GOOD.encode()).hexdigest()


def test_a_syntax_error_names_its_line() -> None:
    """Nothing else can be said of a file that is not TOML."""
    key, value, allowed = only(GOOD.replace('id = "gw-east"', 'id = "gw-east'))
    assert (key, "line 3" in value, allowed) == ("file", True, "TOML in UTF-8")


def test_ten_faults_are_ten_faults() -> None:
    """Each with its own key, all at once."""
    broken = (
        GOOD.replace('area = "hengjie"', 'area = "hub"')
        .replace('host = "127.0.0.1"\n[[bus]]', 'host = "127.0.0.1"\nport = 70000\n[[bus]]', 1)
        .replace('driver = "modbus_tcp"', 'driver = "modbus_tpc"')
        .replace('profile = "waveshare-analog-8ch"', 'profile = "waveshare-analog-8ch"\npoll_ms = 5')
        .replace('kind = "panic"', 'kind = "panik"')
        .replace('source = "doors/di1"', 'source = "nowhere/di1"')
        .replace('target = "buttons/s"', 'target = "buttons/p"\nzone = "h01-door"')
        .replace('members = ["h01", "h02"]', 'members = ["h02", "h02"]')
    )
    expected = [
        "bus[1].driver",
        "device[1].poll_ms",
        "gateway",
        "group[0].members[1]",
        "mqtt.port",
        "output[0].target",
        "output[0].zone",
        "premises[0].groups[0]",
        "zone[0].kind",
        "zone[1].source",
    ]
    faults = faults_of(broken)
    assert [fault.key for fault in faults] == expected
    assert all(fault.where == "site.toml" and fault.value and fault.allowed for fault in faults)


def test_faults_in_one_table_do_not_hide_what_else_it_names() -> None:
    """A table with a wrong key is still asked for its bus, profile, premises and points: one reading finds all."""
    broken = (
        GOOD.replace('unit = 2\nprofile = "waveshare-analog-8ch"', 'unit = 300\nprofile = "wave"')
        .replace(
            'premises = "h01"\nkind = "door"\nsource = "doors/di1"', 'premises = "h9"\nkind = "d"\nsource = "doors/x"'
        )
        .replace('kind = "household"\ngroups = ["east"]', 'kind = "home"\ngroups = ["west"]')
        .replace('role = "siren"\ntarget = "buttons/s"', 'role = "horn"\ntarget = "buttons/q"')
    )
    assert [fault.key for fault in faults_of(broken)] == [
        "device[1].profile",
        "device[1].unit",
        "output[0].role",
        "output[0].target",
        "premises[0].groups[0]",
        "premises[0].kind",
        "zone[1].kind",
        "zone[1].premises",
        "zone[1].source",
    ]


def test_faults_stand_in_the_order_of_the_file() -> None:
    """The third zone before the twelfth."""
    many = GOOD + "".join(
        f'[[zone]]\nid = "z{n}"\npremises = "h01"\nkind = "x"\nsource = "doors/di1"\n' for n in range(12)
    )
    places = [fault.key for fault in faults_of(many)]
    assert places == [f"zone[{n}].kind" for n in range(2, 14)]


def test_a_fault_is_told_with_the_id_of_its_table() -> None:
    """An installer does not count tables from 0; a pattern is put in words, a wrong key in the ones there are."""
    raw = tomllib.loads(GOOD.replace('normal = "closed"', 'normel = "closed"').replace('id = "lan"', 'id = "Lan"'))
    lines = [told(fault, raw) for fault in faults_of(GOOD.replace('normal = "closed"', 'normel = "closed"'))]
    assert lines[0].startswith(
        "site.toml: zone[1].normel (id 'h01-door'): found 'closed'; allowed: no such key here; known: id,"
    )
    [bus] = [fault for fault in faults_of(GOOD.replace('id = "lan"', 'id = "Lan"')) if fault.key == "bus[1].id"]
    assert told(bus, raw) == f"site.toml: bus[1].id (id 'Lan'): found 'Lan'; allowed: {ID_ALLOWED}"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("a = " + "[" * 100_000, "file"),
        ("a = " + "9" * 5_000, "file"),
        ("zzz = 0x" + "f" * 5_000 + GOOD, "zzz"),
        (GOOD.replace("[mqtt]", '[mqtt]\ntls = { ca = "a\\u0000", cert = "b", key = "c" }'), "mqtt.tls.ca"),
        (GOOD.replace("[mqtt]", '[mqtt]\nusername = "u"\npassword_file = "\\u0000"'), "mqtt.password_file"),
        (GOOD.replace('area = "hengjie"', 'area = "hengjie"\ndata_dir = "a\\u0000"'), "gateway.data_dir"),
        (GOOD.replace('source = "doors/di1"\nnormal = "closed"', 'source = "loops/ai1"\nabove = nan'), "zone[1].above"),
    ],
)  # fmt: skip
def test_no_text_is_more_than_refused(text: str, key: str) -> None:
    """A configuration comes from far away as well: whatever stands in it, it is a fault and not the end."""
    assert key in {fault.key for fault in faults_of(text)}


@pytest.mark.parametrize(
    ("old", "new", "key", "allowed"),
    [
        ('bus = "lan"\nunit = 2', 'bus = "wan"\nunit = 2', "device[1].bus", "one of the buses: buttons, lan"),
        ("unit = 2", "unit = 1", "device[1].unit", "a unit of its own on bus lan; device[0] has this one"),
        ('id = "loops"', 'id = "doors"', "device[1].id", "an id of its own; device[0] has this one"),
        ('bus = "lan"\nunit = 2', 'bus = "buttons"\nunit = 2', "device[1].bus",
         "a bus that carries devices; buttons (gpio_sim) is its own"),
        ('normal = "closed"', "above = 3", "zone[1].above", "'normal' or 'active': doors/di1 is a contact"),
        ('normal = "closed"', "", "zone[1].normal", "exactly one of 'normal' (open, closed) and 'active'"),
        ('normal = "closed"\n', 'normal = "closed"\nactive = true\n', "zone[1].normal",
         "exactly one of 'normal' (open, closed) and 'active'"),
        ('source = "doors/di1"', 'source = "loops/ai1"', "zone[1].normal",
         "bands, above or below: loops/ai1 is a number"),
        ('premises = "h01"\nkind = "door"', 'premises = "h09"\nkind = "door"', "zone[1].premises",
         "one of the file's premises ids: h01"),
        ('kind = "panic"', 'kind = "duress"', "zone[0].lamp",
         "no lamp for a duress zone: nothing shows at the premises"),
        ("active = true", 'active = true\narming = "interior"', "zone[0].arming", "'24h': a panic zone is always live"),
        ("active = true", "active = true\nentry_route = true", "zone[0].entry_route",
         "false: only a zone that is armed and disarmed is on the way in"),
        ('target = "buttons/s"', 'target = "buttons/l"', "zone[0].lamp",
         "a point of its own; output[0].target has this one"),
        ('target = "buttons/s"', 'target = "doors/di2"', "output[0].target", "a point that can be switched on and off"),
        ('role = "siren"', 'role = "lamp"', "output[0].zone", "the zone whose press the lamp shows"),
        ('groups = ["east"]', "", "group[0].members[0]", "a premises here that lists east among its groups"),
        ('kind = "household"', 'kind = "household"\nentry_s = 900', "premises[0].entry_s", "less than or equal to 300"),
        ("timeout_ms = 300", "timeout_ms = 5", "bus[1].timeout_ms", "greater than or equal to 10"),
        ("offset = 2,", "offset = 1,", "bus[0].lines", "line s: an offset of its own; p has 1"),
        ('socket = "/run/x.sock"\n', "", "bus[0].socket", "this key is required"),
        ('area = "hengjie"', "", "gateway.area", "this key is required"),
        ("[mqtt]", '[hub_keys]\nhub = "AAAA"\n[mqtt]', "hub_keys.hub", "base64 of the 32 bytes of a public key"),
        ("[mqtt]", "[nonsense]\n[mqtt]", "nonsense", "no such key here"),
        ('host = "127.0.0.1"\n[[bus]]', 'host = "127.0.0.1"\nusername = "u"\n[[bus]]', "mqtt",
         "username and password_file together, or neither"),
    ],
)  # fmt: skip
def test_a_fault_names_key_and_what_is_allowed(old: str, new: str, key: str, allowed: str) -> None:
    """One thing wrong, one fault: what refers to a broken table is not one more."""
    assert old in GOOD
    found_key, _, found_allowed = only(GOOD.replace(old, new, 1))
    assert found_key == key
    assert allowed in found_allowed


def test_bands_of_a_loop_must_not_overlap() -> None:
    """Two meanings for one value are a fault; so is a loop without normal."""
    loop = GOOD.replace('source = "doors/di1"\nnormal = "closed"', 'source = "loops/ai1"\nbands = BANDS')
    overlap = '[{low=1,high=3,condition="normal"},{low=2,high=4,condition="alarm"}]'
    blind = '[{low=1,high=2,condition="tamper"},{low=2,high=4,condition="alarm"}]'
    assert only(loop.replace("BANDS", overlap))[2] == "bands that do not overlap"
    assert only(loop.replace("BANDS", blind))[2] == "at least one band for normal"


def test_a_threshold_itself_is_still_normal() -> None:
    """`above` means greater than, `below` less than."""
    toml = GOOD.replace('source = "doors/di1"\nnormal = "closed"', 'source = "loops/ai1"\nabove = 3\nbelow = 1')
    judge = read(toml).site.zones[1].judge
    values = [judged(judge, value) for value in (0.99, 1.0, 3.0, 3.01)]
    assert values == [Condition.ALARM, Condition.NORMAL, Condition.NORMAL, Condition.ALARM]


def test_half_a_tls_table_is_refused(tmp_path: Path) -> None:
    """TLS fails closed: a missing key, and files that cannot be read, keep the gateway from starting."""
    half = GOOD.replace("[[bus]]", '[mqtt.tls]\nca = "ca.pem"\ncert = "c.pem"\n[[bus]]', 1)
    whole = half.replace('cert = "c.pem"', 'cert = "c.pem"\nkey = "k.pem"')
    assert [fault.key for fault in faults_of(half, tmp_path)] == ["mqtt.tls.key"]
    assert [fault.key for fault in faults_of(whole, tmp_path)] == ["mqtt.tls.ca", "mqtt.tls.cert", "mqtt.tls.key"]


def test_tls_files_that_are_no_certificates_are_refused(tmp_path: Path) -> None:
    """They are read when the file is, not when the broker is called."""
    for name in ("ca.pem", "c.pem", "k.pem"):
        (tmp_path / name).write_text("nothing")
    toml = GOOD.replace("[[bus]]", '[mqtt.tls]\nca = "ca.pem"\ncert = "c.pem"\nkey = "k.pem"\n[[bus]]', 1)
    assert [fault.key for fault in faults_of(toml, tmp_path)] == ["mqtt.tls.ca", "mqtt.tls.cert"]


def test_a_ca_of_ones_own_is_taken(tmp_path: Path) -> None:
    """Absolute paths are taken as they are."""
    issued = Authority(tmp_path).issue("gw-east")
    tls = f'[mqtt.tls]\nca = "{issued.ca}"\ncert = "{issued.cert}"\nkey = "{issued.key}"\n[[bus]]'
    config = read(GOOD.replace("[[bus]]", tls, 1))
    assert config.mqtt.tls is not None
    assert client_context(config.mqtt.tls).verify_mode.name == "CERT_REQUIRED"


def test_a_certificate_that_ran_out_keeps_no_gateway_from_starting(tmp_path: Path) -> None:
    """It cannot reach its hub, but it rings its group; whether it has run out is judged at each connecting."""
    issued = Authority(tmp_path).issue("gw-east", timedelta(days=-1))
    tls = f'[mqtt.tls]\nca = "{issued.ca}"\ncert = "{issued.cert}"\nkey = "{issued.key}"\n[[bus]]'
    config = read(GOOD.replace("[[bus]]", tls, 1))
    assert config.mqtt.tls is not None
    with pytest.raises(Refused, match="expired"):
        client_context(config.mqtt.tls)


def test_a_password_is_read_and_never_shown(tmp_path: Path) -> None:
    """From its file, without the line's end; the settings print without it."""
    (tmp_path / "pw").write_text("geheim\n")
    toml = GOOD.replace("[[bus]]", 'username = "gw"\npassword_file = "pw"\n[[bus]]', 1)
    config = read(toml, tmp_path)
    assert config.mqtt.password == "geheim"
    assert "geheim" not in repr(config)


@pytest.mark.parametrize("whole", [True, False])
def test_a_hub_key_is_taken_as_its_keygen_prints_it(whole: bool) -> None:
    """PEM between three quotes, or only its middle line."""
    public = Ed25519PrivateKey.generate().public_key()
    pem = public_text_of(public)
    text = f'"""\n{pem}"""' if whole else f'"{pem.splitlines()[1]}"'
    config = read(GOOD.replace("[mqtt]", f"[hub_keys]\nhub-1 = {text}\n[mqtt]"))
    assert config.hub_keys["hub-1"].public_bytes_raw() == public.public_bytes_raw()


def test_hub_keys_are_read() -> None:
    """Base64 of 32 bytes."""
    public = Ed25519PrivateKey.generate().public_key()
    key = base64.b64encode(public.public_bytes_raw()).decode()
    assert read(GOOD, hub_keys__hub=key).hub_keys["hub"].public_bytes_raw() == public.public_bytes_raw()


def test_a_value_can_be_set_from_outside() -> None:
    """An entry of a list by its id, a table by its name."""
    config = read(GOOD, bus__lan__port=15020, mqtt__port=1884, device__doors__poll_ms=200)
    settings = config.buses[1].settings
    assert (getattr(settings, "port", None), config.mqtt.port) == (15020, 1884)
    assert config.site.fresh["doors"] == 700


@pytest.mark.parametrize(
    ("key", "value", "where", "found_key"),
    [
        ("bus.wan.port", 1, "--set", "bus.wan.port"),
        ("port", 1, "--set", "port"),
        ("bus.lan", 1, "--set", "bus.lan"),
        ("mqtt.port", "many", "site.toml", "mqtt.port"),
    ],
)
def test_a_value_set_from_outside_is_checked(key: str, value: object, where: str, found_key: str) -> None:
    """A key that leads nowhere is named as such; a bad value like one in the file."""
    with pytest.raises(Refused) as refused:
        parse(GOOD.encode(), "site.toml", Path(), PROFILES, {key: value})
    assert [(fault.where, fault.key) for fault in refused.value.faults] == [(where, found_key)]


def test_words_of_a_command_line_become_values() -> None:
    """TOML where it is TOML, text elsewhere."""
    words = ["mqtt.port=1884", "bus.buttons.socket=/run/a b", 'mqtt.host="h"']
    assert parse_set(words) == {"mqtt.port": 1884, "bus.buttons.socket": "/run/a b", "mqtt.host": "h"}
    with pytest.raises(Refused):
        parse_set(["nonsense"])


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    """With the system's own reason."""
    with pytest.raises(Refused, match="No such file"):
        load(tmp_path / "none.toml", PROFILES)


@pytest.mark.parametrize("path", SITES, ids=lambda path: path.stem)
def test_an_example_is_taken_and_fits_the_schema(path: Path) -> None:
    """The sites of the demo load, are written as the schema says, and tell link loss within 20 s."""
    config = load(path, PROFILES)
    jsonschema.Draft202012Validator(schema()).validate(tomllib.loads(path.read_text(encoding="utf-8")))
    assert config.profile == "20s"


def test_every_household_of_the_examples_can_call_and_be_called() -> None:
    """Ten in group east over two gateways, ten and the works in group west, each with a button and a siren."""
    sites = [load(path, PROFILES).site for path in SITES]
    buttons = {zone.premises for site in sites for zone in site.zones if zone.kind == "panic"}
    sirens = {output.premises for site in sites for output in site.outputs if output.role is Role.SIREN}
    members = {member for site in sites for group in site.groups.values() for member in group}
    assert len(members) == 21
    assert buttons == sirens == members


def test_the_birth_of_the_largest_site_fits_into_a_message() -> None:
    """As many zones as a site file may have, with the longest names: the gateway must not fail over its own birth."""
    [most] = [item.max_length for item in SiteFile.model_fields["zone"].metadata if hasattr(item, "max_length")]
    longest = max(ZoneKind, key=len)
    zone = ZoneBorn("z" * 63, "p" * 63, longest, "unknown", Condition.UNKNOWN)
    now = Stamp(2**63 - 1, 2**43, ClockQuality.HOLDOVER)
    birth = Birth(1, "0" * 32, 2**63 - 1, "0" * 36, "s" * 512, "0" * 64, 86_400_000, 86_400_000, now, [zone] * most)
    assert len(encode(birth)) <= SIZE_MAX


def test_the_committed_schema_follows_from_the_tables() -> None:
    """`python -m edge.config.schema` was run after the last change."""
    assert PATH.read_text(encoding="utf-8") == text()
