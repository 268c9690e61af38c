"""Plans of runs as they lie on this machine: encrypted, and in clear text only where Terraform is about to read one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core import fingerprint
from engine.errors import NotFound
from engine.external.cipher import Tampered, is_sealed
from engine.terraform import files as safely
from engine.worker.keeping import plan_name

if TYPE_CHECKING:
    from pathlib import Path

    from engine.external.cipher import Cipher

PLAN_FILE = "plan.tfplan"


@dataclass(frozen=True)
class PlanFile:
    """The plan of one run, in the folder of the run."""

    cipher: Cipher
    folder: Path
    run_id: int

    @property
    def path(self) -> Path:
        """Where it lies."""
        return self.folder / PLAN_FILE

    def content(self) -> bytes | None:
        """What Terraform wrote; None when there is none.

        Raises Tampered when it was changed, ExternalFailure when its key is not to be had.
        """
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        # plans of former versions of Landform lie in clear text
        return self.cipher.open(content, plan_name(self.run_id)) if is_sealed(content) else content

    def keep(self, content: bytes) -> None:
        """Makes this the plan. Raises LandformError."""
        sealed = self.cipher.seal(content, plan_name(self.run_id))
        safely.put(self.folder, PLAN_FILE, sealed, self.folder / f"{PLAN_FILE}.new")

    def digest(self) -> str:
        """What fingerprints have of it; "" when there is none, and something else than ever before when it was changed.

        Raises ExternalFailure when its key is not to be had.
        """
        try:
            content = self.content()
        except Tampered:
            content = self.path.read_bytes()
        return "" if content is None else fingerprint.file_digest(content)

    def opened(self, folder: Path) -> Path:
        """A copy in clear text in a private folder, for Terraform. Raises as content(), NotFound when there is none."""
        content = self.content()
        if content is None:
            raise NotFound(f"Run {self.run_id} has no plan.")
        return opened(folder, content)


def opened(folder: Path, content: bytes) -> Path:
    """A plan in clear text in a private folder. Raises LandformError."""
    safely.put(folder, PLAN_FILE, content, folder / f"{PLAN_FILE}.new")
    return folder / PLAN_FILE
