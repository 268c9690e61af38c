"""The pipelines of the documentation, carried out as their services would: job by job, each command in a shell."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template
from typing import Any

import yaml

from tests.scenarios.world import World

DOCS = Path(__file__).parents[2] / "docs" / "ci"
_EXPRESSION = re.compile(r"\$\{\{ *([a-z0-9_.-]+) *\}\}")
_STUB = '#!/bin/sh\necho "$0 $*" >> {log}\n'


def pipeline(name: str) -> Any:
    """The YAML of a page."""
    [text] = re.findall(r"^```yaml\n(.*?)^```", (DOCS / name).read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return yaml.safe_load(text)


@dataclass
class Runner:
    """A machine that takes jobs; programs that would call the service itself only note that they were called."""

    world: World
    facts: Mapping[str, str]
    """What the service says about the pipeline, as variables."""
    out: list[str] = field(default_factory=list)
    """What the commands printed."""

    @property
    def calls(self) -> list[list[str]]:
        """The words of every call of a program of the service."""
        log = self.world.root / "calls"
        lines = log.read_text().splitlines() if log.exists() else []
        return [[Path(word).name if at == 0 else word for at, word in enumerate(line.split(" "))] for line in lines]

    def shell(self, script: str, variables: Mapping[str, str]) -> int:
        """Types a script; its exit code."""
        given = {name: Template(str(value)).safe_substitute(self.facts) for name, value in variables.items()}
        done = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", script],
            cwd=self.world.root,
            env={**self._environ(), **given, "LANDFORM_HOME": str(self.world.home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        self.out.append(done.stdout)
        return done.returncode

    def _environ(self) -> dict[str, str]:
        stubs = self.world.root / "programs"
        stubs.mkdir(exist_ok=True)
        for name in ("gh", "curl"):
            (stubs / name).write_text(_STUB.format(log=shlex.quote(str(self.world.root / "calls"))))
            (stubs / name).chmod(0o755)
        path = os.pathsep.join([str(stubs), str(Path(sys.executable).parent), os.environ["PATH"]])
        return {"PATH": path, "HOME": str(self.world.root), **self.facts}


class GitHub(Runner):
    """GitHub's way: steps, expressions, outputs in files."""

    def job(self, workflow: Any, name: str, context: dict[str, str]) -> int:
        """The exit code of a job; its outputs come into the context as `needs.NAME.outputs.X`."""
        job = workflow["jobs"][name]
        code = 0
        for step in job["steps"]:
            if "run" in step and _is_due(step, code, context):
                variables = {**workflow["env"], **job.get("env", {}), **step.get("env", {})}
                said = {key: _said(value, context) for key, value in variables.items()}
                code = self._step(step, said, context) or code
        for output, value in job.get("outputs", {}).items():
            context[f"needs.{name}.outputs.{output}"] = _said(value, context)
        return code

    def _step(self, step: Any, variables: Mapping[str, str], context: dict[str, str]) -> int:
        output, summary = self.world.root / "github-output", self.world.root / "github-summary"
        output.write_text("")
        files = {"GITHUB_OUTPUT": str(output), "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_ACTION": step["name"]}
        code = self.shell(step["run"], {**variables, **files})
        for line in output.read_text().splitlines():
            key, _, value = line.partition("=")
            context[f"steps.{step.get('id')}.outputs.{key}"] = value
        return code


class GitLab(Runner):
    """GitLab's way: scripts, and variables that jobs hand on in a file."""

    def job(self, pipeline: Any, name: str, handed: dict[str, str]) -> int:
        """The exit code of a job; what it hands on comes into `handed`."""
        job = pipeline[name]
        variables = {**pipeline["variables"], **job.get("variables", {}), **handed, "CI_JOB_NAME": name}
        code = self.shell("\n".join(job["script"]), variables)
        if "after_script" in job:
            self.shell("\n".join(job["after_script"]), variables)
        report = self.world.root / job.get("artifacts", {}).get("reports", {}).get("dotenv", "no report")
        if report.exists():
            handed.update(line.split("=", 1) for line in report.read_text().splitlines())
        return code


def _is_due(step: Any, code: int, context: Mapping[str, str]) -> bool:
    """Whether a step is taken when the worst exit code so far is this one."""
    conditions = str(step.get("if", "success()")).split(" && ")
    return all(code == 0 if each == "success()" else each == "always()" or context.get(each) for each in conditions)


def _said(value: object, context: Mapping[str, str]) -> str:
    """The text with every expression replaced by what it stands for."""
    return _EXPRESSION.sub(lambda found: context.get(found[1], ""), str(value))
