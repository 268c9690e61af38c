"""TF_DATA_DIR of an instance whose backend is its own: links to the prepared version, and its own backend file."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from pathlib import Path

from engine.terraform import files as safely

_BACKEND_FILE = "terraform.tfstate"
_NOTE = "landform.json"
_TEMPORARY = ".landform.tmp"


class OwnData:
    """A `.terraform` folder that only `terraform init` of one instance writes into, and only its backend file."""

    def __init__(self, root: Path, prepared: Path, basis: object) -> None:
        """`root` is the workspace, `prepared` the version's data folder. `basis` is a JSON value: all that an init of
        the backend depends on.
        """
        self.folder = root / ".terraform"
        self._prepared = prepared
        self._basis = json.dumps([str(prepared), basis], sort_keys=True)

    @property
    def is_ready(self) -> bool:
        """Whether an init would change nothing: what it reads is as it was, and nobody has touched what it wrote."""
        try:
            noted = json.loads((self.folder / _NOTE).read_bytes())
            return bool(noted == self._note())
        except (OSError, ValueError):
            return False

    def make(self) -> None:
        """An empty one, but for the links: an init has to follow. Raises ExternalFailure."""
        try:
            if self.folder.is_symlink() or self.folder.is_file():
                self.folder.unlink()
            elif self.folder.exists():
                shutil.rmtree(self.folder)
            safely.folder(self.folder)
            for name in os.listdir(self._prepared):
                if name != _BACKEND_FILE:
                    (self.folder / name).symlink_to(self._prepared / name)
        except OSError as error:
            raise safely.cannot("make", self.folder, error) from error

    def done(self) -> None:
        """Notes that the init has succeeded. Raises ExternalFailure."""
        safely.put(self.folder, _NOTE, json.dumps(self._note()).encode(), self.folder / _TEMPORARY)

    def _note(self) -> dict[str, str]:
        content = (self.folder / _BACKEND_FILE).read_bytes()
        links = {
            name: os.readlink(self.folder / name)
            for name in os.listdir(self.folder)
            if (self.folder / name).is_symlink()
        }
        return {
            "basis": hashlib.sha256(self._basis.encode()).hexdigest(),
            "backend": hashlib.sha256(content).hexdigest(),
            "links": json.dumps(links, sort_keys=True),
        }
