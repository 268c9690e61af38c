"""The only place that knows the format of Terraform's state files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from engine.core.outputs import MASK
from engine.core.snapshots import Snapshot
from engine.errors import ExternalFailure

_VERSION = 4
_SERIAL = re.compile(rb'("serial":\s*)\d+')


class Damaged(ExternalFailure):
    """What lies in the place of a state is none."""


@dataclass(frozen=True)
class State:
    """A state that has been read; nothing about it needs to be checked again."""

    content: bytes
    _tree: Mapping[str, Any]

    @property
    def snapshot(self) -> Snapshot:
        """What tells it from other states."""
        digest = hashlib.sha256(self.content).hexdigest()
        return Snapshot(
            self._tree["lineage"], self._tree["serial"], digest, len(self.content), len(self.resource_addresses())
        )

    def outputs(self) -> dict[str, dict[str, Any]]:
        """Output name -> {"type", "sensitive", "value"}, as `terraform output -json` has it."""
        return {
            name: {"type": output["type"], "sensitive": output.get("sensitive", False), "value": output["value"]}
            for name, output in self._outputs.items()
        }

    def resource_addresses(self) -> tuple[str, ...]:
        """Addresses of what Terraform manages, as it writes them, without data sources."""
        return tuple(address for address, _, _ in self._managed())

    def resources(self) -> list[dict[str, object]]:
        """{"address", "provider", "tainted"} of each resource, without data sources, in the state's order."""
        return [
            {
                "address": address,
                "provider": str(resource.get("provider", "")).removeprefix("provider[").removesuffix("]").strip('"'),
                "tainted": instance.get("status") == "tainted",
            }
            for address, resource, instance in self._managed()
        ]

    def with_serial(self, serial: int) -> bytes:
        """The same state as a later one of its line. Raises ExternalFailure when it was not written by Terraform."""
        # in the text, as numbers may have more digits than Python would keep; Terraform writes it before what is nested
        content = _SERIAL.sub(rb"\g<1>%d" % serial, self.content, count=1)
        if json.loads(content) != {**self._tree, "serial": serial}:
            raise ExternalFailure("The state is not written as Terraform writes it: its serial cannot be changed.")
        return content

    def attributes(self) -> dict[str, dict[str, object]]:
        """Address -> what is known of the resource, by attribute; "(status)" stands for whether it is tainted."""
        return {
            address: {**_attributes(instance), "(status)": instance.get("status")}
            for address, _, instance in self._managed()
        }

    @property
    def _outputs(self) -> Mapping[str, Any]:
        return self._tree.get("outputs") or {}

    def _managed(self) -> Iterator[tuple[str, Mapping[str, Any], Mapping[str, Any]]]:
        """Address, resource and instance of everything but data sources."""
        for resource in self._tree.get("resources") or []:
            if resource["mode"] == "managed":
                for instance in resource["instances"]:
                    yield _address(resource, instance), resource, instance


def snapshot(state: State | None) -> Snapshot | None:
    """What tells the state from others; None for none."""
    return state.snapshot if state else None


def parse(content: bytes) -> State | None:
    """The state; None when there is nothing in it. Raises ValueError, or RecursionError, when it is none."""
    if not content.strip():
        return None
    tree = json.loads(content)
    if wrong := _wrong(tree):
        raise ValueError(wrong)
    return State(content, tree)


def read(content: bytes, where: str, hint: str) -> State | None:
    """As parse(), for a state that lies at `where`. Raises Damaged with `hint`."""
    try:
        return parse(content)
    except (ValueError, RecursionError) as error:
        raise Damaged(unreadable(where, str(error)), hint=hint) from error


def unreadable(where: str, why: str) -> str:
    """What to say of a state that cannot be read."""
    return f"The state file {where} cannot be read: {why.removesuffix('.')}."


def difference(before: State, after: State) -> dict[str, list[dict[str, object]]]:
    """{"added", "removed", "changed"}: the resources and outputs that differ, changed ones with `attributes`.

    Names only, never a value: a state does not say which attributes a provider takes for secrets.
    """
    old, new = _parts(before), _parts(after)
    return {
        "added": [{"address": address} for address in sorted(new.keys() - old.keys())],
        "removed": [{"address": address} for address in sorted(old.keys() - new.keys())],
        "changed": [
            {"address": address, "attributes": _changed(old[address], new[address])}
            for address in sorted(old.keys() & new.keys())
            if old[address] != new[address]
        ],
    }


def masked_outputs(state: State) -> dict[str, object]:
    """Output name -> value, for people."""
    return {name: MASK if output["sensitive"] else output["value"] for name, output in state.outputs().items()}


def _parts(state: State) -> dict[str, Mapping[str, object]]:
    return {**state.attributes(), **{f"output.{name}": output for name, output in state.outputs().items()}}


def _changed(old: Mapping[str, object], new: Mapping[str, object]) -> list[str]:
    return sorted(name for name in old.keys() | new.keys() if old.get(name) != new.get(name))


def _attributes(instance: Mapping[str, Any]) -> Mapping[str, Any]:
    """Those of the provider's schema, or as very old providers left them."""
    return instance.get("attributes") or instance.get("attributes_flat") or {}


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


def _address(resource: Mapping[str, Any], instance: Mapping[str, Any]) -> str:
    module = f"{resource['module']}." if resource.get("module") else ""
    key = instance.get("index_key")
    index = "" if key is None else f"[{json.dumps(key, ensure_ascii=False)}]"
    deposed = f" (deposed object {instance['deposed']})" if instance.get("deposed") else ""
    return f"{module}{resource['type']}.{resource['name']}{index}{deposed}"
