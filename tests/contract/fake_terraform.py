"""A Terraform for tests: the commands, exit codes and JSON lines that Landform relies on, for `terraform_data` only.

It reads `main.tf.json`: resources with `input` and local-exec provisioners, outputs with literal values. Run it as
`python fake_terraform.py plan ...`. The same tests run the real one, so that it tells the truth.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

STATE = Path("fake.tfstate")
VERSION = "1.11.4"


class Failure(Exception):
    """Becomes an error diagnostic."""


def write(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def say(kind: str, message: str, **members: object) -> None:
    line = {"@level": "info", "@message": message, "@module": "terraform.ui", **members, "type": kind}
    write(json.dumps(line))


def complain(summary: str, detail: str, **where: object) -> None:
    diagnostic = {"severity": "error", "summary": summary, "detail": detail, **where}
    say("diagnostic", f"Error: {summary}", diagnostic=diagnostic)


def wanted() -> dict:
    text = Path("main.tf.json").read_text()
    try:
        return json.loads(text)
    except ValueError as error:
        line = getattr(error, "lineno", 1)
        where = {"filename": "main.tf.json", "start": {"line": line}}
        raise Failure("Invalid JSON", str(error), where) from error


def state() -> dict:
    return json.loads(STATE.read_text()) if STATE.exists() else {"resources": {}, "outputs": {}}


def changes(config: dict, known: dict) -> list[dict]:
    resources = config.get("resource", {}).get("terraform_data", {})
    found = []
    for name, body in resources.items():
        address, value = f"terraform_data.{name}", body.get("input")
        if address not in known["resources"]:
            found.append({"addr": address, "action": "create", "input": value, "run": commands(body)})
        elif known["resources"][address] != value:
            found.append({"addr": address, "action": "update", "input": value, "run": []})
    gone = known["resources"].keys() - {f"terraform_data.{name}" for name in resources}
    return found + [{"addr": address, "action": "delete", "input": None, "run": []} for address in sorted(gone)]


def commands(body: dict) -> list[str]:
    return [entry["local-exec"]["command"] for entry in body.get("provisioner", [])]


def output_actions(config: dict, known: dict) -> dict:
    outputs = config.get("output", {})
    found = {}
    for name in sorted(outputs.keys() | known["outputs"].keys()):
        before, after = known["outputs"].get(name), outputs.get(name, {}).get("value")
        action = "noop" if before == after else "create" if before is None else "delete" if after is None else "update"
        sensitive = outputs.get(name, {}).get("sensitive", False)
        found[name] = {"sensitive": sensitive, "action": action}
    return found


def plan(flags: dict) -> int:
    known = state()
    config = {} if "-destroy" in flags else wanted()
    planned, outputs = changes(config, known), output_actions(config, known)
    for change in planned:
        resource = {"addr": change["addr"]}
        say("planned_change", f"{change['addr']}: Plan", change={"resource": resource, "action": change["action"]})
    if outputs:
        say("outputs", f"Outputs: {len(outputs)}", outputs=outputs)
    Path(flags["-out"]).write_text(json.dumps({"changes": planned, "outputs": config.get("output", {})}))
    changed = planned or any(output["action"] != "noop" for output in outputs.values())
    return 2 if changed and "-detailed-exitcode" in flags else 0


def apply(file: str) -> int:
    if not Path(file).exists():
        raise Failure(f'Failed to load "{file}" as a plan file', f"Error: stat {file}: no such file or directory", {})
    planned, known = json.loads(Path(file).read_text()), state()
    for change in planned["changes"]:
        apply_one(change, known)
        STATE.write_text(json.dumps(known))
    known["outputs"] = {name: body["value"] for name, body in planned["outputs"].items()}
    STATE.write_text(json.dumps(known))
    if planned["outputs"]:
        shown = {name: shown_output(body) for name, body in planned["outputs"].items()}
        say("outputs", f"Outputs: {len(shown)}", outputs=shown)
    return 0


def shown_output(body: dict) -> dict:
    if body.get("sensitive"):
        return {"sensitive": True, "type": "string"}
    return {"sensitive": False, "type": "string", "value": body["value"]}


def apply_one(change: dict, known: dict) -> None:
    address = change["addr"]
    hook = {"resource": {"addr": address}, "action": change["action"], "elapsed_seconds": 0}
    say("apply_start", f"{address}: Starting...", hook=hook)
    for command in change["run"]:
        provision(address, command, hook)
    if change["action"] == "delete":
        del known["resources"][address]
    else:
        known["resources"][address] = change["input"]
    say("apply_complete", f"{address}: complete", hook=hook)


def provision(address: str, command: str, hook: dict) -> None:
    child = subprocess.Popen(("/bin/sh", "-c", command), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        for line in child.stdout:
            output = line.rstrip("\n")
            where = {"resource": {"addr": address}, "provisioner": "local-exec", "output": output}
            say("provision_progress", f"{address}: (local-exec): {output}", hook=where)
        failed = child.wait()
    except KeyboardInterrupt:
        # as the real one: it ends the shell, whose own children live on
        child.kill()
        failed = True
    if failed:
        say("apply_errored", f"{address}: errored", hook=hook)
        raise Failure("local-exec provisioner error", f"Error running command '{command}'", {}, address)


def show(file: str) -> int:
    for change in json.loads(Path(file).read_text())["changes"]:
        write(f"  # {change['addr']} will be {change['action']}d")
    return 0


def main() -> int:
    verb, *rest = sys.argv[1:]
    flags = {name: value for name, _, value in (part.partition("=") for part in rest if part.startswith("-"))}
    if verb == "version":
        write(json.dumps({"terraform_version": VERSION}))
        return 0
    if verb == "show":
        return show(rest[-1])
    say("version", f"Terraform {VERSION}", terraform=VERSION, ui="1.2")
    try:
        return {"init": lambda: 0, "plan": lambda: plan(flags), "apply": lambda: apply(rest[-1])}[verb]()
    except Failure as failure:
        summary, detail, where, *address = failure.args
        named = {"address": address[0]} if address else {}
        complain(summary, detail, **({"range": where} if where else {}), **named)
        return 1


sys.exit(main())
