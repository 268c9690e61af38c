"""All that is encrypted, wherever it lies: which key sealed it, and how it is sealed with the newest one.

Thing after thing, each in one step: whoever stops in between leaves things that open with their old key.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from engine.core import address
from engine.core.address import Address, Kind
from engine.core.runs import Status
from engine.errors import Invalid, NotFound
from engine.external.cipher import NoKey, Tampered, is_sealed
from engine.terraform.at_rest import SEALED_FILE, STATE_FILE, Rest
from engine.worker.plan_files import PLAN_FILE, PlanFile

if TYPE_CHECKING:
    from engine.catalog.catalog import Catalog
    from engine.external.contents import States
    from engine.worker.ground import Ground

logger = logging.getLogger(__name__)
KINDS = ("states", "blobs", "plans", "workspaces", "backups")
_NOT_YET = frozenset({Status.QUEUED, Status.PLANNING})
"""Their plans may be about to be written."""
_DEPTH = {Kind.SERVICE_INSTANCE: "*/*"}


@dataclass(frozen=True)
class Thing:
    """Something that is encrypted, or should be."""

    kind: str
    """One of KINDS."""
    name: str
    read: Callable[[], bytes | None]
    """Its bytes as they lie there; None when it has gone."""
    renew: Callable[[], bool]
    """Seals it with the newest key; False when that has to wait for somebody."""


@dataclass(frozen=True)
class Renewed:
    """What came of sealing everything anew."""

    renewed: int
    left: tuple[str, ...]
    """What is still sealed with another key, and why."""


@dataclass(frozen=True)
class Everything:
    """All that is encrypted with the keys of one home: in it, in its catalog and in its store of states."""

    ground: Ground

    def counts(self) -> dict[str, Counter[str]]:
        """Key, as Cipher.key_of() names it, -> kind -> how many things it has sealed. Raises LandformError."""
        found: dict[str, Counter[str]] = {}
        for thing in self._things():
            if (content := thing.read()) is not None:
                found.setdefault(self.ground.cipher.key_of(content), Counter())[thing.kind] += 1
        return found

    def renew(self) -> Renewed:
        """Seals with the newest key what another one has sealed, and what lies in clear text.

        Raises LandformError, but for what was changed, or whose key has gone: that is left as it is.
        """
        newest, renewed, left = self.ground.cipher.newest(), 0, []
        for thing in self._things():
            content = thing.read()
            if content is None or self.ground.cipher.key_of(content) == newest:
                continue
            why = _renewed(thing)
            renewed += not why
            if why:
                left.append(f"{thing.name}: {why}")
        return Renewed(renewed, tuple(left))

    def _things(self) -> Iterator[Thing]:
        home, catalog = self.ground.settings.home, self.ground.harvest.catalog
        with catalog.read() as tx:
            digests, names = tx.state_digests(), tx.blob_names()
        states = self.ground.harvest.states
        yield from (_state(states, digest) for digest in digests)
        for name in names:
            # those of states are known by their digests
            if not name.startswith("states/"):
                yield Thing("blobs", name, partial(_blob, catalog, name), partial(self._renew_blob, name))
        for folder, where in instances(home):
            yield from self._of_instance(folder, self.ground.rest(where))

    def _of_instance(self, folder: Path, rest: Rest) -> Iterator[Thing]:
        for path in sorted(folder.glob(f"runs/*/{PLAN_FILE}")):
            if path.parent.name.isdecimal():
                plan = PlanFile(self.ground.cipher, path.parent, int(path.parent.name))
                yield Thing("plans", str(path), partial(_bytes, path), partial(self._renew_plan, plan))
        root = folder / "workspace"
        if (root / STATE_FILE).exists() or (root / SEALED_FILE).exists():
            yield Thing("workspaces", str(root), partial(_of_workspace, root), partial(rest.renew, root))
        for path in sorted(folder.glob("state-*.tfstate")):
            yield Thing("backups", str(path), partial(_bytes, path), partial(rest.renew_file, path))

    def _renew_blob(self, name: str) -> bool:
        cipher, catalog = self.ground.cipher, self.ground.harvest.catalog
        before = _blob(catalog, name)
        if before is None:
            return True
        sealed = cipher.seal(cipher.open(before, name), name)
        with catalog.write() as tx:
            # else somebody has put something newer there, sealed with the newest key
            if tx.blob(name) == before:
                tx.put_blob(name, sealed)
        return True

    def _renew_plan(self, plan: PlanFile) -> bool:
        with self.ground.harvest.catalog.read() as tx:
            try:
                if tx.run(plan.run_id).status in _NOT_YET:
                    return False
            except NotFound:
                pass
        if (content := plan.content()) is not None:
            plan.keep(content)
        return True


def clear_text(ground: Ground, path: Path) -> bytes:
    """What an encrypted file of the home holds: a plan, or a state in a workspace or beside one.

    A path that leads nowhere from here is looked for in the home.
    Raises NotFound when it is none of these, ExternalFailure.
    """
    home = ground.settings.home.resolve()
    path = (path if path.exists() else home / path).resolve()
    content = _bytes(path)
    for folder, where in instances(home):
        if content is None or not path.is_relative_to(folder):
            continue
        if path.name == PLAN_FILE and path.parent.name.isdecimal():
            return PlanFile(ground.cipher, path.parent, int(path.parent.name)).content() or b""
        return ground.rest(where).opened(content)
    raise NotFound(f"{path} is no file of an instance of this home.", hint="See where they lie: landform doctor, home.")


def instances(home: Path) -> Iterator[tuple[Path, Address]]:
    """The folders of all instances that this home has or had, by address."""
    for kind in Kind:
        for folder in sorted(home.glob(f"{kind.value}/{_DEPTH.get(kind, '*')}")):
            with suppress(Invalid):
                if folder.is_dir() and not folder.is_symlink():
                    yield folder, address.parse(folder.relative_to(home).as_posix())


def _renewed(thing: Thing) -> str:
    """Why the thing could not be sealed anew; "" when it was."""
    try:
        return "" if thing.renew() else "somebody works with it now"
    except (Tampered, NoKey) as error:
        logger.warning("something encrypted cannot be opened: %s", error.message, extra={"file": thing.name})
        return error.message


def _state(states: States, digest: str) -> Thing:
    name = f"states/{digest}"

    def renew() -> bool:
        states.contents.replace(digest, states.cipher.seal(states.get(digest), name))
        return True

    return Thing("states", name, partial(states.contents.get, digest), renew)


def _of_workspace(root: Path) -> bytes | None:
    """In clear text, where it lies there so: that is what counts."""
    return _bytes(root / STATE_FILE) or _bytes(root / SEALED_FILE)


def _blob(catalog: Catalog, name: str) -> bytes | None:
    """The blob; None for one that is no secret."""
    with catalog.read() as tx:
        content = tx.blob(name)
    return content if content is not None and is_sealed(content) else None


def _bytes(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
        return None
