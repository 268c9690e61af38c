"""200 instances brought to a new version: by a campaign in one process, and by the best script of xargs and Terraform.

The script has two forms. One plans and applies that plan, as a campaign does; the other is a single `terraform apply`
that approves itself, of which nobody sees a plan. A gate for each plan, approvals, states that are kept and a record of
it all come on top here. Both start with everything prepared; every round is another version.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.bench import fleet
from tests.bench.fleet import SERVICE, Fleet
from tests.bench.pairs import command, in_turns, line

ROUNDS = 3
INSTANCES = int(os.environ.get("BENCH_INSTANCES", "200"))


@dataclass
class Upgrades:
    """Two fleets of the same instances, one of them Landform's, and how each of them gets the next version."""

    ours: Fleet
    theirs: Path
    _versions: Iterator[int] = field(default_factory=lambda: count(1))
    _words: Iterator[int] = field(default_factory=lambda: count(1))

    def campaign(self) -> None:
        """By one process, its start included."""
        label, parallel = f"{SERVICE}@1.{next(self._versions)}", str(os.cpu_count() or 1)
        fleet.landform(self.ours, "campaign", "start", label, "--auto-approve", "--concurrency", parallel)

    def planned(self) -> None:
        """By the script that plans first."""
        self._upgrade("planned")

    def approved(self) -> None:
        """By the script that only applies."""
        self._upgrade("approved")

    def _upgrade(self, how: str) -> None:
        version = self.ours.versions / "service"
        (version / "main.tf").write_text(fleet.service_code(f"orders:their-{next(self._words)}"), encoding="utf-8")
        script = str(self.ours.folder / "upgrade.sh")
        command(("sh", script, str(version), str(self.theirs), str(INSTANCES), how), self.ours.folder)


def ready(folder: Path) -> Upgrades:
    """Both fleets, deployed at the first version."""
    ours = fleet.ready(folder)
    shutil.copy(Path(__file__).with_name("upgrade.sh"), folder)
    fleet.deploy(ours, "prod", INSTANCES)
    for number in range(ROUNDS):
        fleet.publish_service(ours, f"orders:our-{number}")
    theirs = folder / "theirs"
    command(("sh", str(folder / "best.sh"), str(ours.versions), str(theirs), str(INSTANCES)), folder)
    return Upgrades(ours, theirs)


def main() -> None:
    """Prints the measurements."""
    with tempfile.TemporaryDirectory() as folder:
        found = ready(Path(folder))
        ours, planned, approved = in_turns((found.campaign, found.planned, found.approved), ROUNDS)
        print(line("campaign-script-that-plans", ours, planned))
        print(line("campaign-script-that-applies", ours, approved))


if __name__ == "__main__":
    main()
