"""The evidence as JUnit XML, for CI systems."""

from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from himari.proof.evidence import Check, DrillWindow, Evidence, Severity, Status, repeated


def write_junit(path: Path, evidence: Evidence) -> None:
    """One suite a phase, one case a check; a warning that failed is told in the case's output."""
    root = Element("testsuites", name=evidence.stack, time=str(evidence.seconds))
    for phase in evidence.phases:
        checks = [check for check in evidence.checks if check.phase == phase.name]
        failures = sum(check.stops for check in checks)
        suite = SubElement(
            root,
            "testsuite",
            name=phase.name,
            timestamp=evidence.started,
            tests=str(len(checks)),
            failures=str(failures),
            skipped=str(phase.not_covered),
        )
        for check in checks:
            _case(suite, check)
    if evidence.drills:
        _drills(root, evidence)
    indent(root)
    ElementTree(root).write(path, encoding="utf-8", xml_declaration=True)


def _case(suite: Element, check: Check) -> None:
    case = SubElement(suite, "testcase", classname=f"{check.phase}.{check.host}", name=check.id)
    properties = SubElement(case, "properties")
    for name in ("host", "says", "severity", "observed", "replaces"):
        SubElement(properties, "property", name=name, value=_printable(str(getattr(check, name))))
    if check.status is Status.NOT_COVERED:
        SubElement(case, "skipped", message=_printable(check.reason))
    elif check.stops:
        SubElement(case, "failure", message=_printable(check.reason)).text = _printable(check.says)
    elif check.status is Status.FAILED and check.severity is not Severity.CRITICAL:
        SubElement(case, "system-out").text = _printable(f"{check.severity}: {check.reason}")


def _drills(root: Element, evidence: Evidence) -> None:
    tests, failures = str(len(evidence.drills)), str(len(evidence.missed))
    suite = SubElement(root, "testsuite", name="drills", tests=tests, failures=failures)
    again = repeated(evidence.drills)  # CI systems drop all but one case of the same class and name
    for drill in evidence.drills:
        seconds = "" if drill.recovery_seconds is None else str(drill.recovery_seconds)
        place = f"drills.seed-{drill.seed}" if drill.name in again else "drills"
        case = SubElement(suite, "testcase", classname=place, name=drill.name, time=seconds)
        properties = SubElement(case, "properties")
        for name in ("says", "deadline", "seen", "seed", "not_covered"):
            SubElement(properties, "property", name=name, value=_printable(str(getattr(drill, name))))
        for name, value in _account(evidence.window_of(drill)).items():
            SubElement(properties, "property", name=name, value=value)
        if drill.status is Status.FAILED:
            SubElement(case, "failure", message=_printable(drill.reason)).text = _printable(drill.says)


def _account(window: DrillWindow | None) -> dict[str, str]:
    """The ledger of a drill's window, and who shared that; nothing where it was not compared."""
    if window is None:
        return {}
    names = ("sent", "journaled", "stored", "lost", "invented", "events_in_gaps")
    return {name: str(getattr(window.ledger, name)) for name in names} | {"window": ", ".join(window.drills)}


def _printable(text: str) -> str:
    """XML cannot hold control characters, not even escaped."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
