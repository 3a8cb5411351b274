"""`himari doctor`."""

from himari.cli.arguments import Json


def doctor(as_json: Json = False) -> int:
    """Look at this machine: what a lab and a deploy need, and the command that mends what is missing.

    Example: himari doctor
    """
    from himari.cli.output import print_json, show, table
    from himari.runs.doctor import examine
    from himari.stack.errors import MachineError

    findings = examine(lab=True)
    if as_json:
        print_json({"ok": all(finding.ok for finding in findings), "findings": findings})
    else:
        rows = [("ok" if finding.ok else "MISSING", finding.name, finding.says) for finding in findings]
        show(table("This machine", ("", "what", "seen"), rows))
        show(*(f"{finding.name}: {finding.mend}" for finding in findings if not finding.ok and finding.mend))
    return 0 if all(finding.ok for finding in findings) else MachineError.exit_code
