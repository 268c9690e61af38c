"""What people read about one thing: a run and its plan, a version, a service, an instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from engine.cli.display import cell, output_text, printable
from engine.core import guards, plans, provisioning, rules, run_env
from engine.core.drift import Standing
from engine.core.guards import TO_SHOW as SHOWN
from engine.core.guards import Refusal, Severity, refusals_from_json

if TYPE_CHECKING:
    from engine.catalog.reads import Row

_MARKS = {
    "create": "+",
    "update": "~",
    "replace": "-/+",
    "delete": "-",
    "read": "<=",
    "move": ">",
    "import": "<",
    "remove": ".",
}


def run(row: Row) -> str:
    """A run: what it is for, what its plan would do, and how it ended."""
    lines = [
        f"Run {row['id']}: {row['operation']} {row['address']} with {row['template']}",
        *_fields({**row, **_words(row)}, _RUN),
        *_fields(row, ("created_at", "planned_at", "expires_at", "approved_at", "applied_at", "ended_at")),
    ]
    if row["summary"] is not None:
        lines += ["", plan(row)]
    lines += refusals(refusals_from_json(row["refusals"]))
    if found := list(_next(row)):
        lines += ["", *(f"Next: landform run {words}" for words in found)]
    return "\n".join(lines)


_SETTLED = {"notify": " --status succeeded"}
"""What a verb needs beside the run's number, to do what most people want of it."""


def next_commands(row: Row) -> list[str]:
    """What can be done with the run now, as commands."""
    return [f"landform run {verb} {row['id']}{more}" for verb, more in _verbs(row)]


def _verbs(row: Row) -> Iterator[tuple[str, str]]:
    """Each verb that the run takes now, with what most people want of it."""
    rules = guards.denied(refusals_from_json(row["refusals"]))
    words = {**_SETTLED, "approve": f" --except {','.join(rules)} --reason TEXT"} if rules else _SETTLED
    for verb in row["next_actions"]:
        yield verb, words.get(verb, "")


def _next(row: Row) -> Iterator[str]:
    """What can be typed about the run now, behind `landform run`; first whatever shows more of it."""
    if row["waiting_on"] == "approval":
        yield f"show {row['id']} --plan"
    for verb, more in _verbs(row):
        yield f"{verb} {row['id']}{more}"
    if row["next_actions"] and row["waiting_on"] == "worker":
        yield f"explain {row['id']}"


def refusals(found: Sequence[Refusal]) -> list[str]:
    """Which guards a plan breaks: first those that stand in its way."""
    lines: list[str] = []
    for severity, heading in ((Severity.DENY, "Refused by guards:"), (Severity.WARN, "Warnings of guards:")):
        same = [f"    {printable(str(refusal))}" for refusal in found if refusal.severity is severity]
        lines += ["", heading, *same[:SHOWN]] if same else []
        lines += [f"    ... and {len(same) - SHOWN} more: landform run show -o json"] if len(same) > SHOWN else []
    return lines


_RUN = (
    *("status", "waiting_on", "behind", "message", "proposal", "reason", "requested_by"),
    *("approvals", "approved_by", "approval_reason", "exceptions", "retry_of", "supersedes", "superseded_by"),
)


def _words(row: Row) -> dict[str, object]:
    """What is said otherwise than it is stored."""
    words = {"approvals": _approvals(row), "waiting_on": _waiting_on(row), "proposal": _proposal(row.get("proposal"))}
    return {**words, "exceptions": sorted({rule for given in row["approvals"] for rule in given["exceptions"]})}


def _proposal(stored: Mapping[str, object] | None) -> dict[str, object]:
    """Where others were asked to carry a run out; {} where nobody was."""
    if not stored:
        return {}
    found = provisioning.proposal(stored)
    where = {"pull request": found.url, "branch": found.branch, "into": found.repository.branch}
    rest = {"folder": found.folder, "commit": found.commit, "deployment id": found.deployment_id}
    said = {**where, "repository": found.repository.url, **rest, "state": found.state.value}
    return {name: value for name, value in said.items() if value}


def _waiting_on(row: Row) -> str:
    """Who has to move next; of several people's approval, how many have given theirs."""
    if row["waiting_on"] == "approval" and row["approvals_needed"] > 1:
        return f"approval ({len(row['approvals'])} of {row['approvals_needed']})"
    return str(row["waiting_on"])


def _approvals(row: Row) -> dict[str, str]:
    """Who has said yes to the run's plan -> when, and why; {} where one person's yes is all that there is to tell."""
    if len(row["approvals"]) < 2 and row["approvals_needed"] < 2:
        return {}
    return {given["user_name"]: f"{cell(given['created_at'])} {given['reason']}".rstrip() for given in row["approvals"]}


def plan(row: Row) -> str:
    """What a run's plan would do, resource by resource."""
    return "\n".join([plan_heading(row), *plan_lines(plans.from_json(row["summary"] or {}))])


def plan_lines(summary: plans.Summary) -> list[str]:
    """What a plan would do, resource by resource."""
    lines = [*map(change, summary.changes)]
    lines += [
        f"    {_MARKS.get(output.action, '~'):<3} output {output.name}" + (" (sensitive)" if output.sensitive else "")
        for output in summary.outputs
    ]
    if summary.drift:
        lines += ["Changed outside of Landform since the last apply:", *map(change, summary.drift)]
    return [printable(line) for line in lines]


def plan_heading(row: Row) -> str:
    """What a run's plan would do, in a line."""
    return f"Plan of run {row['id']} for {row['address']}: {plans.from_json(row['summary'] or {}).sentence()}"


def version(row: Row, inputs: Sequence[Mapping[str, object]]) -> str:
    """A version: what it takes, gives and reads."""
    lines = [
        f"{row['label']} ({row['kind']}, {row['status']})",
        *_fields(row, ("description", "source", "bundle", "compatible", "created_at", "published_at", "instances")),
    ]
    if row["message"]:
        why = _WHY.get(row["status"], "Why its registration failed:")
        lines += ["", why, *(f"  {line}" for line in row["message"].splitlines())]
    lines += ["", *_verdict(row["verdict"])] if row["verdict"] else []
    lines += ["", f"Contract tests: {_tests(row['test_report'])}."] if row["test_report"] else []
    if row["guards"]:
        lines += _field("guards_of_its_plans", guards.words(guards.from_json(row["guards"])))
    lines += ["", "Inputs:", *map(_input, inputs)] if inputs else []
    for part in row["facts"].get("parts", {}).values():
        reads = sorted({f"{read['path']}" for read in part["reads"]})
        outputs = [f"{output['name']}  {output['description']}" for output in part["outputs"]]
        lines += ["", f"{part['name']}:", *_listed("reads", reads), *_listed("outputs", outputs)]
    return printable("\n".join(lines))


_WHY = {"deprecated": "Why it is deprecated:", "yanked": "Why it was yanked:"}


def comparison(found: Mapping[str, Any]) -> str:
    """What differs between two versions: first what that means, then what it is."""
    if not found["text"]:
        return "No difference."
    lines = [*_verdict(found["verdict"]), ""]
    for topic, parts in found.items():
        if topic in ("text", "verdict"):
            continue
        for part, changes in parts.items():
            lines += [f"{topic} of {part}:"] if any(changes.values()) else []
            lines += [f"  + {name}" for name in changes["added"]]
            lines += [f"  - {name}" for name in changes["removed"]]
            lines += [f"  ~ {change['name']} ({', '.join(change['keywords'])})" for change in changes["changed"]]
    lines += [text.rstrip("\n") for text in found["text"].values()]
    return printable("\n".join(lines))


def _tests(stored: Mapping[str, Any]) -> str:
    from engine.core import contracts

    return contracts.from_json(stored).sentence()


def _verdict(stored: Mapping[str, Any]) -> list[str]:
    from engine.cli import verdict_texts
    from engine.core import verdicts

    return verdict_texts.lines(verdicts.from_json(dict(stored)))


def service(row: Row, instances: Sequence[Row]) -> str:
    """A service and its instances."""
    lines = [
        f"Service {row['name']}",
        *_fields(row, ("template", "description", "repository", "branch", "tags", "created_at")),
    ]
    return "\n".join([*lines, "", *(f"  {_instance_line(one)}" for one in instances)])


def instance(row: Row) -> str:
    """An instance: version, inputs, outputs, and whether it is behind."""
    heading = f"{row['address']}: {row['template']}@{row['version']}, last run {row['last_run_id']} {row['status']}"
    row = {**row, "inputs": row["effective_inputs"]}
    newer = {"recommended": row["recommended"]} if row["outdated"] else {}
    if row["version_status"] in _WHY:
        newer[row["version_status"]] = row["version_message"]
    outputs = {name: output_text(output) for name, output in (row["outputs"] or {}).items()}
    shown = {**row, **newer, "outputs": outputs, "rules": rules.from_json(row["rules"]).to_json()}
    shown["tags"], shown["drift"] = row["effective_tags"], _drift(row["drift"])
    shown["run_env"] = run_env.in_words(row["run_env"] or {})
    shown["calendar"] = _calendar(row["calendar"])
    shown["guards"] = guards.words(guards.from_json(row["guards"]))
    about = (
        "description",
        "hibernated_at",
        "expires_at",
        "environment",
        "attached",
        "component",
        *newer,
        "stale",
        "drift",
        "inputs",
        "outputs",
    )
    rest = ("credentials", "tags", "run_env", "rules", "guards", "calendar", "provisioning_repository", "inhabitants")
    names = (*about, *rest)
    return "\n".join([heading, *_fields(shown, names), *_fields(row, ("created_at", "updated_at"))])


def _calendar(stored: Mapping[str, Any]) -> str:
    """When campaigns may change what lives in an environment, a line each; "" for at any time."""
    from engine.core import calendars

    return "\n".join(calendars.words(calendars.from_json(stored))) if stored else ""


def _drift(found: Mapping[str, Any]) -> str:
    """What is known about the drift of an instance, in a line; "" when nobody has looked."""
    if found["status"] == Standing.UNCHECKED:
        return ""
    known = ", ".join(filter(None, (found["status"], found["level"])))
    return f"{known} (checked {found['checked_at'] or 'never'}; landform drift show)"


def _fields(row: Mapping[str, object], names: Sequence[str]) -> list[str]:
    return [line for name in names if row.get(name) not in (None, "", [], {}) for line in _field(name, row[name])]


def _field(name: str, value: object) -> list[str]:
    heading = name.replace("_", " ")
    if isinstance(value, Mapping):
        return [f"  {heading}:", *(f"    {cell(key):<20} {cell(item)}" for key, item in value.items())]
    if isinstance(value, str) and "\n" in value:
        return [f"  {heading}:", *(f"    {line}" for line in printable(value).splitlines())]
    return [f"  {heading:<18} {cell(value)}"]


def change(one: plans.Change) -> str:
    """What a plan would do to one resource, in a line."""
    reason = f" ({one.reason.replace('_', ' ')})" if one.reason else ""
    return f"    {_MARKS[one.action]:<3} {one.address}{reason}"


def _input(item: Mapping[str, object]) -> str:
    need = "required" if item["required"] else f"default {cell(item['default'])}" if item["has_default"] else "optional"
    about = ", ".join(filter(None, (str(item["type"]), str(item["constraints"]), need)))
    return f"  {item['name']} ({about})" + (f": {item['description']}" if item["description"] else "")


def _listed(heading: str, names: Sequence[str]) -> list[str]:
    return [f"  {heading}:", *(f"    {name}" for name in names)] if names else []


def _instance_line(row: Row) -> str:
    behind = f", {row['recommended']} is recommended" if row["outdated"] else ""
    stale = f", stale: {', '.join(row['stale'])}" if row["stale"] else ""
    asleep = ", hibernated" if row["hibernated_at"] else ""
    what = f"{row['template']}@{row['version']} {row['status']}"
    return f"{row['name']} in {row['environment']}: {what}{asleep}{behind}{stale}"
