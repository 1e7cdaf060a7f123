"""The hub's wish and the installer's file: which of the two a gateway listens to."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from edge.config import load, parse_set
from edge.desired import Desired
from edge.profiles import load_profiles
from simulators.village import SITES

PROFILES = load_profiles()
WISH = "\n# wished for\n"


def desired(tmp_path: Path, added: str = "") -> Desired:
    """As a gateway process begins, with the installer's file as it is now."""
    path = tmp_path / "site.toml"
    path.write_text(SITES[0].read_text(encoding="utf-8") + added, encoding="utf-8")
    given = parse_set(["gateway.data_dir=data"])
    return Desired(load(path, PROFILES, given), tmp_path, PROFILES, given)


def wish(added: str = WISH) -> str:
    """The installer's text of the beginning, with something more."""
    return SITES[0].read_text(encoding="utf-8") + added


def test_a_wish_is_used_from_the_next_start_on(tmp_path: Path) -> None:
    """Stored, it says that a start is due."""
    one = desired(tmp_path)
    assert not one.stored
    assert [] == one.store(wish())
    assert one.stored
    after = desired(tmp_path)
    assert not after.stored
    assert sha256(wish().encode()).hexdigest() == after.effective().sha256


def test_the_installer_is_listened_to_first(tmp_path: Path) -> None:
    """An edit of the file overtakes the wish, which comes again at each connection and is refused; a newer is not."""
    desired(tmp_path).store(wish())
    edited = desired(tmp_path, "\n# edited on the spot\n")
    assert edited.effective() is edited._local
    (fault,) = edited.store(wish())
    assert ("file", "the wish from before that edit") == (fault.key, fault.value)
    assert not edited.stored
    assert [] == edited.store(wish("\n# wished for since\n"))
    assert edited.stored


def test_a_bad_wish_leaves_the_old_one(tmp_path: Path) -> None:
    """Its faults are told, and no start is due."""
    one = desired(tmp_path)
    one.store(wish())
    before = desired(tmp_path).effective().sha256
    again = desired(tmp_path)
    assert again.store(wish("\n[[zone]]\n"))
    assert not again.stored
    assert before == desired(tmp_path).effective().sha256
