"""The evidence as JUnit XML, for CI systems."""

from pathlib import Path
from xml.etree.ElementTree import Element, ElementTree, SubElement, indent

from himari.proof.evidence import Check, DrillRecord, Evidence, Severity, Status


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
        _drills(root, evidence.drills)
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


def _drills(root: Element, drills: list[DrillRecord]) -> None:
    failures = sum(drill.status is Status.FAILED for drill in drills)
    suite = SubElement(root, "testsuite", name="drills", tests=str(len(drills)), failures=str(failures))
    for drill in drills:
        seconds = "" if drill.recovery_seconds is None else str(drill.recovery_seconds)
        case = SubElement(suite, "testcase", classname="drills", name=drill.name, time=seconds)
        properties = SubElement(case, "properties")
        for name in ("says", "deadline", "seen", "seed", "not_covered"):
            SubElement(properties, "property", name=name, value=_printable(str(getattr(drill, name))))
        if drill.status is Status.FAILED:
            SubElement(case, "failure", message=_printable(drill.reason)).text = _printable(drill.says)


def _printable(text: str) -> str:
    """XML cannot hold control characters, not even escaped."""
    return "".join(letter if letter.isprintable() else " " for letter in text)
