"""The units that come with the hub and the gateway, as systemd reads them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.pki import Authority

ROOT = Path(__file__).parents[2] / "firmware_configs"
UNITS = [*sorted((ROOT / "hub").glob("lianfang-*")), *sorted((ROOT / "pi").glob("lianfang-*"))]
DEBIANS = ("mosquitto.service", "influxdb.service")
"""Units of Debian's packages to which something is added."""
EXPOSURE_MAX = 3.0
"""Of ten, by systemd's own count."""


@pytest.fixture(scope="module")
def units(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all of them, of programs that are there."""
    folder = tmp_path_factory.mktemp("units")
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8").replace("/opt/lianfang/bin/lianfang", sys.executable)
        (folder / unit.name).write_text(text, encoding="utf-8")
    for name in DEBIANS:
        added = folder / f"{name}.d"
        added.mkdir()
        shutil.copy(ROOT / "hub" / f"{name}.conf", added / "lianfang.conf")
    return folder


def analysed(units: Path, *argv: str) -> str:
    """What systemd says of them; that it is there is what `make test` sees to."""
    done = subprocess.run(
        ["systemd-analyze", *argv], env={**os.environ, "SYSTEMD_UNIT_PATH": f"{units}:", "LC_ALL": "C.UTF-8"},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_systemd_finds_nothing_wrong(units: Path) -> None:
    """No unknown key, no program or unit that is not there; Debian's own with what is added to them, too."""
    names = [unit.name for unit in UNITS]
    assert "" == analysed(units, "verify", "--man=no", *names, *DEBIANS)


@pytest.mark.parametrize("unit", [*(one.name for one in (ROOT / "hub").glob("*.service")), *DEBIANS])
def test_a_centre_s_programs_are_shut_in(unit: str, units: Path) -> None:
    """Whoever breaks into one of them is not at once in all the rest of the machine."""
    found = re.search(r"exposure level for \S+: ([0-9.]+)", analysed(units, "security", "--offline=true", unit))
    assert found is not None
    assert float(found[1]) <= EXPOSURE_MAX


@pytest.mark.parametrize(("days", "status"), [(40, 0), (20, 1), (-1, 1)])
def test_a_certificate_that_runs_out_fails_its_unit(days: int, status: int, tmp_path: Path) -> None:
    """30 days before, and after; the log names the file."""
    issued = Authority(tmp_path / "pki").issue("hub", timedelta(days=days))
    folder = tmp_path / "etc" / "lianfang" / "tls"
    folder.mkdir(parents=True)
    shutil.copy(issued.cert, folder)
    unit = (ROOT / "hub" / "lianfang-certificates.service").read_text(encoding="utf-8")
    command = unit.partition("ExecStart=")[2].partition("\n")[0].replace("$$", "$").replace("/etc/", f"{tmp_path}/etc/")
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60, check=False)
    assert (status, status) == (done.returncode, done.stdout.count(f"renew {folder / 'hub.pem'}: notAfter"))
