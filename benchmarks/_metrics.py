"""What a service of this machine shows to Prometheus."""

from collections.abc import Mapping
from urllib.error import URLError
from urllib.request import urlopen

ASK_SECONDS = 5.0


def metrics(port: int) -> Mapping[str, float]:
    """By name with labels; nothing where it does not answer."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=ASK_SECONDS) as answer:
            text: str = answer.read().decode()
    except (URLError, OSError):
        return {}
    pairs = (line.rpartition(" ") for line in text.splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def summed(shown: Mapping[str, float], beginning: str, with_label: str = "") -> float:
    """Of all labels of a metric, or of those that hold `with_label`."""
    return sum(
        value
        for name, value in shown.items()
        if name.partition("{")[0] == beginning and (not with_label or with_label in name)
    )
