"""What a plan was made from, as digests that can be compared and kept, but not read (design D5)."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from engine.core.outputs import revealed

_RUN_ENV = "run environment "


@dataclass(frozen=True)
class Basis:
    """Everything whose change makes a plan stale."""

    plan_file: str
    """Digest of the plan's bytes."""
    bundle: str
    """Digest of the bundle."""
    terraform_version: str
    provider_lock: str
    """Digest of the lock file; "" when there is none."""
    inputs: Mapping[str, object] = field(default_factory=dict)
    """Input name -> value as Terraform gets it."""
    upstream: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    """Upstream address -> {output name: value_digest() of what was read}."""
    run_env: Mapping[str, str] = field(default_factory=dict)
    """What operators set for Terraform."""
    state: Mapping[str, object] | None = None
    """The state's lineage and serial; None before the first apply."""
    references: Mapping[str, str] = field(default_factory=dict)
    """Reference in the inputs -> its value."""
    surroundings: Mapping[str, object] = field(default_factory=dict)
    """Whatever else decides about what Terraform does where: its name for people -> a JSON value."""


def fingerprint(basis: Basis, key: bytes) -> dict[str, str]:
    """Part -> digest, with the names that core.plans.moved() shows. `key` is the home's."""
    parts = {
        "plan file": basis.plan_file,
        "bundle": basis.bundle,
        "terraform version": basis.terraform_version,
        "provider lock": basis.provider_lock,
        "state": "{lineage} {serial}".format(**basis.state) if basis.state else "",
    }
    inputs = {f"input {name}": value_digest(value, key) for name, value in basis.inputs.items()}
    upstream = {
        f"{address} output {name}": digest for address, read in basis.upstream.items() for name, digest in read.items()
    }
    others = {name: value_digest(value, key) for name, value in basis.surroundings.items()}
    others |= {f"secret {text}": value_digest(value, key) for text, value in basis.references.items()}
    return dict(sorted((parts | inputs | of_run_env(basis.run_env, key) | upstream | others).items()))


def of_run_env(run_env: Mapping[str, str], key: bytes) -> dict[str, str]:
    """The parts of a fingerprint that speak of what operators set for Terraform."""
    return {f"{_RUN_ENV}{name}": value_digest(value, key) for name, value in run_env.items()}


def has_run_env(planned_with: Mapping[str, str], run_env: Mapping[str, str], key: bytes) -> bool:
    """Whether a plan with that fingerprint was made with the same variables and values."""
    known = {part: digest for part, digest in planned_with.items() if part.startswith(_RUN_ENV)}
    return known == of_run_env(run_env, key)


def value_digest(value: object, key: bytes) -> str:
    """A digest of any JSON value or Secret that nobody without `key` can guess back, in hex.

    The order of an object's members does not count; 1, 1.0, "1" and true are four values.
    """
    text = json.dumps(revealed(value), sort_keys=True, separators=(",", ":"))
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def file_digest(content: bytes) -> str:
    """A digest of a file that may be known to all, in hex."""
    return hashlib.sha256(content).hexdigest()
