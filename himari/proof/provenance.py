"""What a proof was made of: the checkout, our tools, and the hosts' systems."""

import subprocess
from collections.abc import Mapping
from importlib import metadata

from himari.proof.probe import Probe
from himari.stack.errors import HostError
from himari.stack.paths import PROJECT

TOOLS = ("himari", "pyinfra", "pytest-testinfra", "msgspec")


def checkout() -> tuple[str, bool]:
    """The checkout's commit and whether it was changed; "" for what is no checkout."""
    commit = _git("rev-parse", "HEAD")
    return commit[:12], bool(commit and _git("status", "--porcelain"))


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", "-C", str(PROJECT), *words], capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def versions(answers: Mapping[str, Probe | HostError]) -> dict[str, str]:
    """Our tools', and each host's system, kernel and Redis."""
    found = {name: metadata.version(name) for name in TOOLS}
    for host, answer in answers.items():
        if isinstance(answer, Probe) and answer.raw.commands:
            system = answer.versions
            redis = answer.packages.get("redis-server", "")
            said = [system["system"], f"Linux {system['kernel']}", f"systemd {system['systemd']}"]
            found[host] = ", ".join([*said, f"Redis {redis}"] if redis else said)
    return found
