"""How a bundle that is to be registered stands to the versions before it, and whether that lets it be a minor one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core import bundle, registered, verdicts
from engine.core.bundle import PART_OF
from engine.core.verdicts import Compared, Finding, Verdict
from engine.core.versions import Number, VersionStatus
from engine.errors import Invalid

if TYPE_CHECKING:
    from engine.bundles.load import Checked
    from engine.catalog.tables import Template, Version
    from engine.catalog.tx import Tx

_OUTPUT_GONE = "output/removed"


def judged(tx: Tx, template: Template, major: int, checked: Checked) -> Verdict | None:
    """The verdict on a sound bundle as the next minor of `major`; None when it is the first that did not fail.

    Every earlier minor counts, whatever became of it since: something may still be deployed with it.
    """
    earlier = [version for version in tx.versions(template, major) if version.status != VersionStatus.FAILED]
    if not earlier or checked.facts is None or checked.schema is None:
        return None
    document = registered.document_of(checked.schema_text)
    new = Compared("", checked.facts, checked.schema, document)
    past = [verdicts.from_json(version.verdict) for version in earlier if version.verdict]
    found = verdicts.verdict(
        [_compared(template, version) for version in earlier], new, accepted=verdicts.accepted(past)
    )
    if not any(finding.rule == _OUTPUT_GONE for finding in found.findings):
        return found
    read = tx.outputs_read(template, major)
    return found.read_by({PART_OF[kind].value: outputs for kind, outputs in read.items()})


def refuse_breaking(verdict: Verdict | None, name: str, major: int) -> None:
    """Raises Invalid with every finding when the verdict is one of a new major version."""
    if verdict is None or not verdict.breaking:
        return
    count = len(verdict.breaking)
    raise Invalid(
        f"This bundle cannot be a minor version of {name}@{major}: "
        f"{'one change breaks' if count == 1 else f'{count} changes break'} what earlier ones promise.",
        hint="Register it with --new-major, or mend what breaks. To accept it all the same: --force",
        problems=[finding.problem() for finding in _told(verdict)],
    )


def _told(verdict: Verdict) -> tuple[Finding, ...]:
    """What breaks, before the rest."""
    rest = tuple(finding for finding in verdict.findings if finding not in verdict.breaking)
    return (*verdict.breaking, *rest)


def _compared(template: Template, version: Version) -> Compared:
    text = version.schema_text
    return Compared(
        str(Number(version.major, version.minor)),
        bundle.from_json(version.facts),
        registered.schema_of(text, customer_managed=template.provisioning == "customer"),
        registered.document_of(text),
    )
