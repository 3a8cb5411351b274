"""Files of a host that a drill alters: the whole ones lie beside them until the drill is healed.

The digest of what the drill made of a file lies beside it, too: a file that says anything else was written since, by
`himari up` or by hand, and is left as it is."""

from himari.drills.field import Field

KEPT = ".before-the-drill"
DRAFT, DIGEST = ".by-the-drill", ".by-the-drill.sha256"


def alter(field: Field, host: str, path: str, script: str, *units: str) -> None:
    """Keep `path`, let `script` (a shell text with $f) alter it in one step, and restart `units`."""
    kept = f"o={path}; f=$o{DRAFT}; cp -p $o $f; [ -e $o{KEPT} ] || {{ cp -p $o $f.kept; mv $f.kept $o{KEPT}; }}"
    noted = f"sha256sum <$f >$o{DIGEST}; mv $f $o"
    field.inside(host, f"{kept}; {script}; {noted}; {_restart(units)}")


def whole(field: Field, host: str, path: str, *units: str) -> None:
    """Put `path` back and restart `units`, if it is as the drill left it; nothing where it is whole."""
    ours = f'[ "$(sha256sum <$f)" = "$(cat $f{DIGEST} 2>/dev/null)" ]'
    back = f"if {ours}; then mv $f{KEPT} $f; {_restart(units)}; fi"
    field.inside(host, f"f={path}; [ -e $f{KEPT} ] || exit 0; {back}; rm -f $f{KEPT} $f{DRAFT} $f{DIGEST}")


def _restart(units: tuple[str, ...]) -> str:
    named = " ".join(units)
    return (
        f"systemctl daemon-reload; systemctl reset-failed {named} || true; systemctl restart {named}" if units else ":"
    )
