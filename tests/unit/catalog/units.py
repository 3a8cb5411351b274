"""What is asked of each unit of ours, by systemd's own judgement."""

import json
import subprocess
from pathlib import Path


def exposure(folder: Path, name: str, text: str) -> float:
    """The exposure of a unit by `systemd-analyze security`, 0 to 10."""
    unit = folder / name
    unit.write_text(text)
    command = ["systemd-analyze", "security", "--offline=true", "--json=short", "--no-pager", str(unit)]
    assert json.loads(subprocess.run(command, capture_output=True, check=False).stdout), "systemd said nothing"
    shown = subprocess.run([*command[:3], "--no-pager", str(unit)], capture_output=True, text=True, check=False).stdout
    return float(shown.rsplit(": ", 1)[1].split()[0])


def lines(text: str) -> list[str]:
    """The settings of a unit."""
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
