"""What is asked of each unit of ours, by systemd's own judgement."""

import subprocess
from pathlib import Path


def exposure(folder: Path, name: str, text: str) -> float:
    """The exposure of a unit by `systemd-analyze security`, 0 to 10."""
    unit = folder / name
    unit.write_text(text)
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(unit)]
    shown = subprocess.run(
        command, capture_output=True, text=True, check=False
    )  # it fails above a threshold of its own
    assert "Overall exposure level" in shown.stdout, shown.stderr
    return float(shown.stdout.rsplit(": ", 1)[1].split()[0])


def lines(text: str) -> list[str]:
    """The settings of a unit."""
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
