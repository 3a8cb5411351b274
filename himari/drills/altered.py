"""Files of a host that a drill alters: the whole ones lie beside them until the drill is healed.

The digest of what the drill made of a file lies beside it, too: a file that says anything else was written since, by
`himari up` or by hand, and is left as it is."""

from hashlib import sha256

from himari.drills.field import Field

KEPT = ".before-the-drill"
DRAFT, DIGEST = ".by-the-drill", ".by-the-drill.sha256"
KEEP = f"[ -e $o{KEPT} ] || {{ cp -p $o $o{DRAFT}.kept; mv $o{DRAFT}.kept $o{KEPT}; }}"


def alter(field: Field, host: str, path: str, script: str, *units: str) -> None:
    """Keep `path`, let `script` (a shell text with $f) alter it in one step, and restart `units`."""
    kept = f"o={path}; f=$o{DRAFT}; cp -p $o $f; {KEEP}"
    noted = f"sha256sum <$f >$o{DIGEST}; mv $f $o"
    field.inside(host, f"{kept}; {script}; {noted}; {restart(*units)}")


def keep(field: Field, host: str, path: str, text: str) -> None:
    """Keep `path`, which the drill has somebody else make say `text`."""
    digest = sha256(text.encode()).hexdigest()
    field.inside(host, f"o={path}; {KEEP}; echo '{digest}  -' >$o{DIGEST}")


def whole(field: Field, host: str, path: str, *units: str) -> bool:
    """Put `path` back and restart `units`, if it is as the drill left it, and say so; nothing where it is whole."""
    ours = f'[ "$(sha256sum <$f)" = "$(cat $f{DIGEST} 2>/dev/null)" ]'
    back = f"if {ours}; then mv $f{KEPT} $f; {restart(*units)}; echo back; fi"
    cleared = f"rm -f $f{KEPT} $f{DRAFT} $f{DIGEST}"
    return "back" in field.inside(host, f"f={path}; [ -e $f{KEPT} ] || exit 0; {back}; {cleared}").split()


def restart(*units: str) -> str:
    """The shell text that begins `units` anew, with their files as they are."""
    named = " ".join(units)
    return (
        f"systemctl daemon-reload; systemctl reset-failed {named} || true; systemctl restart {named}" if units else ":"
    )
