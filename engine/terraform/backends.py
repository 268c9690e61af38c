"""Where Terraform keeps state, and what is read from it: the only place that knows the format of a state file."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from engine.errors import ExternalFailure

STATE_FILE = "terraform.tfstate"
_VERSION = 4
_SHOWN_MAX = 5
_DISPLACED = {
    "errored.tfstate": "holds the state that Terraform could not write to its place",
    "terraform.tfstate.d": "holds the state of another Terraform workspace than default",
}
_HOW_DISPLACED = (
    f"Compare it with {STATE_FILE}. Put the one that knows what there is at {STATE_FILE}, move the other out of the "
    "folder, and run again."
)
_HOW_MISSING = (
    f"Find out where it went, put it back, and run again; {STATE_FILE}.backup, if it is there, is the state before. "
    "If it is lost for good, terraform import in that folder makes a new one."
)


class Managed:
    """State in the instance's own workspace, through Terraform's `local` backend (design D6)."""

    kind = "local"

    def override(self) -> dict[str, object]:
        """The content of the override file: the same for all instances, so that one prepared version fits them all."""
        return {"terraform": {"backend": {"local": {}}}}

    def identity(self, folder: Path) -> dict[str, object] | None:
        """{"lineage", "serial"} of the state; None before there is one. Raises ExternalFailure when it is damaged."""
        state = _read(folder)
        return {"lineage": state["lineage"], "serial": state["serial"]} if state else None

    def outputs(self, folder: Path) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "value"}, as `terraform output -json` has it; {} without a state.

        Raises ExternalFailure when it is damaged.
        """
        state = _read(folder) or {"outputs": {}}
        return {
            name: {"type": output["type"], "sensitive": output.get("sensitive", False), "value": output["value"]}
            for name, output in state["outputs"].items()
        }

    def resources(self, folder: Path) -> tuple[str, ...]:
        """Addresses of what Terraform manages, as it writes them, without data sources; () before there is a state.

        Raises ExternalFailure when it is damaged.
        """
        state = _read(folder) or {"resources": []}
        managed = (resource for resource in state["resources"] if resource["mode"] == "managed")
        return tuple(address for resource in managed for address in _addresses(resource))

    def require_in_place(self, folder: Path, was_written: Callable[[], bool]) -> None:
        """Raises ExternalFailure when state lies where Terraform does not look for it, or there is none although
        `was_written`: a plan without it would make everything anew, and a destroy would forget what there is.
        """
        for name, why in _DISPLACED.items():
            if _holds_something(folder / name):
                raise _in_doubt(f"{folder / name} {why}", _HOW_DISPLACED)
        if _read(folder) is None and was_written():
            raise _in_doubt(f"{folder / STATE_FILE}, which Terraform has written, is missing or empty", _HOW_MISSING)

    def require_nothing_left(self, folder: Path) -> None:
        """Raises ExternalFailure when something would be lost with the folder's state."""
        self.require_in_place(folder, lambda: False)
        left = self.resources(folder)
        if left:
            shown = ", ".join(left[:_SHOWN_MAX]) + (", ..." if len(left) > _SHOWN_MAX else "")
            raise ExternalFailure(
                f"{folder} is kept: its state still knows of {shown}.", hint="Look at it before you remove it by hand."
            )


def _read(folder: Path) -> dict[str, Any] | None:
    """The state; None when there is none."""
    path = folder / STATE_FILE
    try:
        text = path.read_bytes()
        state = json.loads(text) if text.strip() else None
        wrong = "" if state is None else _wrong(state)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise _damaged(path, str(error)) from error
    if wrong:
        raise _damaged(path, wrong)
    return state and {**state, "outputs": state.get("outputs") or {}, "resources": state.get("resources") or []}


def _wrong(state: Any) -> str:
    """What keeps us from reading it; "" when nothing does."""
    if not isinstance(state, dict) or state.get("version") != _VERSION:
        return f"it is not a state of version {_VERSION}"
    if not isinstance(state.get("lineage"), str) or not isinstance(state.get("serial"), int):
        return "it has no lineage and serial"
    outputs, resources = state.get("outputs") or {}, state.get("resources") or []
    if not isinstance(outputs, dict) or not all(_is_output(output) for output in outputs.values()):
        return "its outputs are not in order"
    if not isinstance(resources, list) or not all(_is_resource(resource) for resource in resources):
        return "its resources are not in order"
    return ""


def _is_output(output: Any) -> bool:
    return isinstance(output, dict) and {"type", "value"} <= output.keys()


def _is_resource(resource: Any) -> bool:
    if not isinstance(resource, dict) or not {"mode", "type", "name", "instances"} <= resource.keys():
        return False
    instances = resource["instances"]
    return isinstance(instances, list) and all(isinstance(instance, dict) for instance in instances)


def _addresses(resource: dict[str, Any]) -> Iterator[str]:
    module = f"{resource['module']}." if resource.get("module") else ""
    for instance in resource["instances"]:
        key = instance.get("index_key")
        index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
        deposed = f" (deposed object {instance['deposed']})" if instance.get("deposed") else ""
        yield f"{module}{resource['type']}.{resource['name']}{index}{deposed}"


def _holds_something(path: Path) -> bool:
    """Whether it is a file, or a folder with a file anywhere in it; an unreadable one counts."""
    try:
        return path.is_file() or any(not found.is_dir() for found in path.rglob("*"))
    except OSError:
        return True


def _in_doubt(what: str, how: str) -> ExternalFailure:
    # all in the message: of what ended it, a run remembers no more
    return ExternalFailure(f"{what}: nothing is planned or removed until that is cleared up. {how}")


def _damaged(path: Path, why: str) -> ExternalFailure:
    return ExternalFailure(
        f"The state file {path} cannot be read: {why}.",
        hint=f"The state before it is beside it, in {path.name}.backup: look at both before you change anything.",
    )
