"""A place where Terraform can run beside the workspace of an instance, which belongs to whoever holds its run."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.external.process import Stop
from engine.terraform import files as safely
from engine.terraform.workspace import Workspace
from engine.worker.following import Step, Watch, watch_nothing
from engine.worker.ground import DATA_DIR
from engine.worker.journal import Journal

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from engine.core.bundle import Part
    from engine.terraform.cli import Place
    from engine.worker.ground import Ground
    from engine.worker.work import Work


@dataclass(frozen=True)
class Scratch:
    """A folder with the code of an instance, prepared, gone after its use."""

    folder: Path
    """For what else is needed."""
    place: Place
    step: Step
    files: Mapping[str, bytes]
    """The code and the values."""


@contextmanager
def scratch(
    ground: Ground, work: Work, part: Part, stop: Stop | None = None, watch: Watch = watch_nothing
) -> Iterator[Scratch]:
    """A place for one command that changes nothing. What it says goes to `watch` and to no log of a run."""
    work = ground.entrusted.resolved(work)
    given = ground.values(work)
    secrets, kept = ground.secrets(work, given), ground.entrusted.kept(work)
    with ground.elsewhere() as folder, Journal(folder, secrets, watch, kept=kept) as journal:
        # whoever finds this folder after a crash removes it, and the guard of a Terraform ends that one
        step = Step(work, part, stop or Stop(), journal, ground.patience, is_noted=False)
        files, prepared = ground.prepared(step, given)
        root = Workspace(folder).root
        safely.fill(root, prepared.with_lock(files))
        # modules from elsewhere are looked for below it
        (root / DATA_DIR).symlink_to(prepared.data_dir)
        place = ground.place(work, root, prepared.data_dir)
        handed = ground.handed(work, part, given)
        yield Scratch(folder, replace(place, env={**place.env, **handed}), step, files)
