"""A guide's own commands, run in a folder that stands for the machine's root."""

from __future__ import annotations

import getpass
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parents[2]
SOURCE = "/opt/src/lianfang"
PLACES = ("/etc/", "/var/lib/", "/var/backups/")
MACHINES = (
    "apt-get ", "systemctl ", "journalctl ", "useradd ", "groupadd ", "chown ", "chgrp ", "python3 -m venv ",
    "/opt/lianfang/bin/pip ", "ln -s ", "docker ",
)  # fmt: skip
"""What is done to a whole machine and not to files: these lines alone are left out."""
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def sections(guide: Path) -> dict[str, str]:
    """The text of each second-level heading."""
    found = re.split(r"^## (.+)$", guide.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(found[1::2], found[2::2], strict=True))


def commands(text: str) -> list[str]:
    """Every command of its console blocks, with the lines that go on below it."""
    found: list[str] = []
    for line in "".join(BLOCK.findall(text)).splitlines():
        if line.startswith(("$ ", "# ")):
            found.append(line[2:])
        else:
            found[-1] += f"\n{line}"
    return found


@dataclass
class Machine:
    """A folder as the root of a machine that has the product's files; `ports` are put in the place of its own."""

    root: Path
    ports: dict[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for place in (*PLACES, f"{SOURCE}/", "/etc/mosquitto/conf.d/", "home"):
            self.path(place).mkdir(parents=True, exist_ok=True)
        self.home = self.path("home")
        source = self.path(SOURCE) / "firmware_configs"
        for name in ("hub", "compose", "registry"):
            shutil.copytree(ROOT / "firmware_configs" / name, source / name)
        for name in ("json", "provisioning"):
            shutil.copytree(ROOT / "dashboards" / name, self.path(SOURCE) / "dashboards" / name)
        for file in [*(source / "hub").iterdir(), source / "compose" / "mosquitto.conf"]:
            file.write_text(self._moved(file.read_text(encoding="utf-8")), encoding="utf-8")

    def path(self, name: str) -> Path:
        """Where an absolute path is here."""
        return self.root / name.lstrip("/")

    def run(self, text: str) -> str:
        """Run a section's commands in root's folder; returns what they print. The first that fails ends it."""
        script = "\n".join(self._here(line) for line in commands(text) if not line.startswith(MACHINES))
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script],
            cwd=self.home, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120, check=False,
        )  # fmt: skip
        assert 0 == done.returncode, f"{script}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def mosquitto(self) -> Path:
        """The file by which Mosquitto starts here."""
        conf = self.path(SOURCE) / "firmware_configs" / "compose" / "mosquitto.conf"
        data = self.path("/mosquitto/data")
        data.mkdir(parents=True, exist_ok=True)
        text = conf.read_text(encoding="utf-8").replace("/mosquitto/data", str(data))
        own = self.path("/etc/mosquitto/mosquitto.conf")
        own.write_text(f"user {getpass.getuser()}\n{text}", encoding="utf-8")
        return own

    def _here(self, command: str) -> str:
        """A command with its places led here; owners are left out, as they are other accounts'."""
        command = re.sub(r" -[og] (root|lianfang|mosquitto|grafana|www-data)\b", "", command)
        command = command.replace("runuser -u lianfang -- ", "").replace(SOURCE, str(self.path(SOURCE)))
        return re.sub(r"(^|\s)lianfang ", rf"\1{sys.executable} -m lianfang ", self._moved(command))

    def _moved(self, text: str) -> str:
        for place in PLACES:
            text = re.sub(rf"(?<![\w/.]){re.escape(place)}", f"{self.path(place)}/", text)
        for own, here in self.ports.items():
            text = text.replace(f"listener {own}\n", f"listener {here} 127.0.0.1\n")
            text = re.sub(rf"^port = {own}\b", f"port = {here}", text, flags=re.MULTILINE)
        return text
