"""How a version of a template stands to earlier ones: what kind of step it is, and why."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace

from engine.core import code_changes, input_changes
from engine.core.findings import Compared as Compared
from engine.core.findings import Finding as Finding
from engine.core.findings import Level as Level
from engine.core.located import Json

_ORDER = (Level.MAJOR, Level.MINOR, Level.PATCH)

Break = tuple[str, str, str, str]
"""Rule, part and subject of a finding, and the earlier version that it breaks with."""


@dataclass(frozen=True)
class Verdict:
    """What kind of step a version is from those before it."""

    findings: tuple[Finding, ...] = ()
    """What breaks first, then by place."""
    versions: tuple[str, ...] = ()
    """The versions that it was compared with, lowest first."""
    forced_by: str = ""
    """Who registered it in spite of what it breaks; "" when nobody had to."""
    reason: str = ""
    """Why, in their words."""

    @property
    def level(self) -> Level:
        """The level of the gravest finding."""
        levels = {finding.level for finding in self.findings}
        return next((level for level in _ORDER if level in levels), Level.PATCH)

    @property
    def breaking(self) -> tuple[Finding, ...]:
        """What breaks, and nobody has accepted before."""
        return tuple(finding for finding in self.findings if finding.level is Level.MAJOR and not finding.accepted)

    def forced(self, user: str, reason: str) -> Verdict:
        """The same, accepted by somebody; nothing is noted where nothing breaks."""
        return replace(self, forced_by=user, reason=reason) if self.breaking else self

    def read_by(self, readers: Mapping[str, Mapping[str, Sequence[str]]]) -> Verdict:
        """The same, with who reads the outputs that are gone: folder of the part -> output -> addresses."""
        return replace(self, findings=tuple(_read_by(finding, readers) for finding in self.findings))

    def to_json(self) -> Json:
        """A JSON form that from_json() reads back; `level` is for those who read it."""
        return {
            "level": self.level.value,
            "versions": list(self.versions),
            "forced_by": self.forced_by,
            "reason": self.reason,
            "findings": [_plain(finding) for finding in self.findings],
        }


def from_json(stored: Json) -> Verdict:
    """The verdict that to_json() wrote."""
    return Verdict(
        tuple(_finding(found) for found in stored["findings"]),
        tuple(stored["versions"]),
        stored["forced_by"],
        stored["reason"],
    )


def verdict(earlier: Sequence[Compared], new: Compared, accepted: Collection[Break] = ()) -> Verdict:
    """How `new` stands to each of the earlier versions, lowest first.

    What sets it apart from several of them is one finding, with the place in the last of these. `accepted` are the
    breaks that were accepted before: see accepted().
    """
    merged: dict[tuple[str, str, str], Finding] = {}
    for old in reversed(earlier):
        for found in (*input_changes.findings(old, new), *code_changes.findings(old, new)):
            known = merged.setdefault((found.rule, found.part, found.sentence), found)
            merged[found.rule, found.part, found.sentence] = replace(known, versions=(old.label, *known.versions))
    judged = (replace(found, accepted=_is_accepted(found, accepted)) for found in merged.values())
    return Verdict(tuple(sorted(judged, key=_order)), tuple(old.label for old in earlier))


def accepted(before: Iterable[Verdict]) -> frozenset[Break]:
    """The breaks that were accepted with earlier versions: nobody is asked twice about the same one."""
    return frozenset(
        key
        for past in before
        for finding in past.findings
        if finding.level is Level.MAJOR and (past.forced_by or finding.accepted)
        for key in _breaks(finding)
    )


def _is_accepted(finding: Finding, known: Collection[Break]) -> bool:
    return finding.level is Level.MAJOR and all(key in known for key in _breaks(finding))


def _breaks(finding: Finding) -> frozenset[Break]:
    return frozenset((finding.rule, finding.part, finding.subject, version) for version in finding.versions)


def _order(finding: Finding) -> tuple[int, str, int, str]:
    return _ORDER.index(finding.level), finding.file, finding.line, finding.sentence


def _read_by(finding: Finding, readers: Mapping[str, Mapping[str, Sequence[str]]]) -> Finding:
    if not finding.rule.startswith("output/"):
        return finding
    return replace(finding, readers=tuple(readers.get(finding.part, {}).get(finding.subject, ())))


def _plain(finding: Finding) -> Json:
    lists = {"versions": list(finding.versions), "readers": list(finding.readers)}
    return {**asdict(finding), "level": finding.level.value, **lists}


def _finding(stored: Json) -> Finding:
    known = {**stored, "level": Level(stored["level"])}
    return Finding(**{**known, "versions": tuple(stored["versions"]), "readers": tuple(stored["readers"])})
