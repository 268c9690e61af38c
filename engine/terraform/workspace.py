"""The folder of one instance: the files Terraform runs on, and what each run leaves behind."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

from engine.terraform import files as safely
from engine.terraform.backends import Managed

_MANIFEST = ".landform.json"
_TEMPORARY = ".landform.tmp"
_REMOVED = ".landform.removed"
READ_BY_TERRAFORM = (".tf", ".tf.json", ".tofu", ".tofu.json", ".tfvars", ".tfvars.json")
"""How the names end of files that Terraform reads by itself."""


def _nothing(_point: str) -> None:
    """What happens between two steps of ours, usually."""


class Workspace:
    """One instance's folder. A write that the machine broke off is repaired by the next one.

    Only one process at a time may write: whoever holds the instance's run.
    """

    def __init__(self, folder: Path, trigger: Callable[[str], None] = _nothing) -> None:
        """`folder` is the instance's own; `trigger` is called with the name of each step before it is taken."""
        self.folder = folder
        self.root = folder / "workspace"
        """Where Terraform runs, and keeps its state."""
        self._manifest = folder / _MANIFEST
        self._temporary = folder / _TEMPORARY
        self._trigger = trigger

    def write(self, files: Mapping[str, bytes]) -> None:
        """Makes these the files of the workspace: writes what differs, removes what an earlier write had put there, and
        what Terraform would read beside them, as that would be part of a plan which nobody asked for.

        All else that Terraform and its resources put there stays.
        Raises Invalid for names that leave the folder, Refused for links in the way, ExternalFailure when it fails.
        """
        safely.check_names(files)
        safely.folder(self.folder)
        safely.folder(self.root)
        noted = self._noted()
        before = (noted or set()) | self._unlisted(files)
        gone = sorted(before - files.keys())
        changed = [name for name in sorted(files) if not safely.holds(self.root, name, files[name])]
        if gone or changed or noted is None:
            # first what may be there from now on: whatever happens next, nothing of ours can be forgotten
            self._note(before | files.keys())
            self._change(gone, {name: files[name] for name in changed})
        if noted != set(files):
            self._note(files)

    def link(self, data_dir: Path) -> None:
        """Makes `.terraform` a link to a prepared version, as modules from elsewhere are looked for below it.

        Raises ExternalFailure when it cannot.
        """
        path = self.root / ".terraform"
        if path.is_symlink() and path.readlink() == data_dir:
            return
        self._trigger("link")
        try:
            if path.is_dir() and not path.is_symlink():
                # from an init by hand: nothing is in it that could not be fetched again
                shutil.rmtree(path)
            self._temporary.unlink(missing_ok=True)
            self._temporary.symlink_to(data_dir)
            self._temporary.replace(path)
        except OSError as error:
            raise safely.cannot("link", path, error) from error

    def written(self) -> frozenset[str]:
        """The names of the files that writes have put there, as far as is known."""
        return frozenset(self._noted() or ())

    def run_folder(self, run_id: int) -> Path:
        """The folder for what a run leaves behind (plan, log, events), made when it is not there."""
        return safely.folder(safely.folder(safely.folder(self.folder) / "runs") / str(run_id))

    def remove(self, state: Managed | None = None) -> None:
        """Removes the workspace with its state; what runs left behind stays, as history outlives the instance.
        `state` is how that is read; None where it lies in clear text.

        Raises Refused when it is a link, ExternalFailure when it cannot be removed or when its state still knows of
        resources or does not lie in its place: then nothing is removed.
        """
        removed = safely.checked(self.folder, _REMOVED)
        root = safely.checked(self.folder, self.root.name)
        (state or Managed()).require_nothing_left(root)
        try:
            self._sweep(removed)
            if root.exists():
                # out of sight in one step: half a workspace must never look like one without a state
                root.rename(removed)
                self._trigger("remove workspace")
                self._sweep(removed)
            for file in (self._manifest, self._temporary):
                file.unlink(missing_ok=True)
        except OSError as error:
            raise safely.cannot("remove", root, error) from error

    def _sweep(self, removed: Path) -> None:
        if removed.exists():
            shutil.rmtree(removed)

    def _change(self, gone: Collection[str], changed: Mapping[str, bytes]) -> None:
        # a file may become a folder: what goes makes room for what comes
        for name in gone:
            self._trigger(f"remove {name}")
            safely.discard(self.root, name)
        for name, content in changed.items():
            self._trigger(f"write {name}")
            safely.put(self.root, name, content, self._temporary)

    def _note(self, names: Collection[str]) -> None:
        self._trigger("note")
        text = json.dumps({"files": sorted(names)}, indent=2) + "\n"
        safely.put(self.folder, _MANIFEST, text.encode(), self._temporary)

    def _noted(self) -> set[str] | None:
        """The files that earlier writes may have put there; None when nobody can tell."""
        try:
            names = json.loads(safely.checked(self.folder, _MANIFEST).read_bytes())["files"]
            return None if any(map(safely.wrong_name, names)) else set(names)
        except (OSError, ValueError, LookupError, TypeError, AttributeError):
            return None

    def _unlisted(self, files: Collection[str]) -> set[str]:
        """Files that Terraform would read beside `files`, though nobody knows where they came from."""
        places = {"", *(name.rpartition("/")[0] for name in files if name.endswith(READ_BY_TERRAFORM))}
        return {name for place in places for name in self._read_in(place)} - set(files)

    def _read_in(self, place: str) -> Iterator[str]:
        """The files that Terraform would read in a folder of the workspace; "" is the workspace itself."""
        here = safely.checked(self.root, place) if place else self.root
        if not here.is_dir():
            return
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.name.endswith(READ_BY_TERRAFORM) and not entry.is_dir(follow_symlinks=False):
                    yield f"{place}/{entry.name}" if place else entry.name
