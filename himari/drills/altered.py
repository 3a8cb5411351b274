"""Files of a host that a drill alters: the whole ones lie beside them until the drill is healed."""

from himari.drills.field import Field

KEPT = ".before-the-drill"


def alter(field: Field, host: str, path: str, script: str, *units: str) -> None:
    """Keep `path`, run `script` on it (a shell text with $f), and restart `units`."""
    keep = f"f={path}; [ -e $f{KEPT} ] || cp -p $f $f{KEPT}"
    field.inside(host, f"{keep}; {script}; {_restart(units)}")


def whole(field: Field, host: str, path: str, *units: str) -> None:
    """Put `path` back and restart `units`; nothing where it is whole."""
    field.inside(host, f"f={path}; [ -e $f{KEPT} ] || exit 0; mv $f{KEPT} $f; {_restart(units)}")


def _restart(units: tuple[str, ...]) -> str:
    named = " ".join(units)
    return (
        f"systemctl daemon-reload; systemctl reset-failed {named} || true; systemctl restart {named}" if units else ":"
    )
