"""How a verdict on a version is shown to people."""

from __future__ import annotations

from engine.cli.display import printable
from engine.core.verdicts import Finding, Verdict


def lines(verdict: Verdict) -> list[str]:
    """The kind of step, and what was found, each with its place."""
    against = f" (compared with {', '.join(verdict.versions)})" if verdict.versions else ""
    said = [f"Verdict: {verdict.level.value}{against}"]
    if verdict.forced_by:
        said.append(f"  accepted by {verdict.forced_by}" + (f": {verdict.reason}" if verdict.reason else ""))
    return [printable(line) for line in [*said, *(_line(finding, verdict) for finding in verdict.findings)]]


def _line(finding: Finding, verdict: Verdict) -> str:
    partly = f" Only with {', '.join(finding.versions)}." if finding.versions != verdict.versions else ""
    readers = f" It is read by {', '.join(finding.readers)}." if finding.readers else ""
    known = " It was accepted before." if finding.accepted else ""
    place = f"{finding.file}:{finding.line}" if finding.line else finding.file
    of = f" of {finding.of}" if finding.of else ""
    return f"  {finding.level.value:<5}  {finding.sentence}{readers}{partly}{known} [{place}{of}]"
