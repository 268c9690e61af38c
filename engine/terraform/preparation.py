"""A template version is initialised once for all its instances (design D11): providers and modules, to be shared."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import select
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from engine.errors import Cancelled
from engine.external.stop import Stop
from engine.terraform import files as safely
from engine.terraform import seal
from engine.terraform.mirror import Mirror, Package, used

LOCK_FILE = ".terraform.lock.hcl"
_DATA = ".terraform"
_MANIFEST = ".landform.json"
_BUILDING = ".building-"
_TEMPORARY = ".landform.tmp"
_VALUES = (".tfvars", ".tfvars.json")
"""How files of values end: init needs code only, and what is not written cannot be left behind."""
_LOOK_AGAIN_S = 0.1


@dataclass(frozen=True)
class Prepared:
    """What an instance needs in place of an init of its own. Never write into it."""

    data_dir: Path
    """For TF_DATA_DIR, and for Workspace.link()."""
    lock: bytes | None
    """The lock file, with the chosen providers; None when the version needs none."""

    def with_lock(self, files: Mapping[str, bytes]) -> dict[str, bytes]:
        """The files of a workspace together with the lock file."""
        return {**files, LOCK_FILE: self.lock} if self.lock is not None else dict(files)


@dataclass(frozen=True)
class Recipe:
    """All that an init reads, and so what a preparation depends on; no more, or it would be made too often."""

    bundle: str
    """The bundle's digest."""
    part: str
    terraform: str
    """Which program, which version of it, for which platform (Terraform.identity)."""
    backend: str
    structure: str = ""
    """Digest of the code that Jinja wrote (core.rendering.structure)."""
    config: str = ""
    """What Terraform's own configuration says: where providers come from."""
    lock: str = ""
    """Digest of the lock file that a plan was made with; "" lets init choose."""

    @property
    def key(self) -> str:
        """The name of the preparation. It begins with that of the bundle, so that people can tell whose it is."""
        text = json.dumps(asdict(self), sort_keys=True)
        return f"{bundle_prefix(self.bundle)}-{hashlib.sha256(text.encode()).hexdigest()[:32]}"


def bundle_prefix(bundle: str) -> str:
    """What the names of a bundle's preparations begin with."""
    return bundle[:16]


class Preparation:
    """The prepared versions of a home."""

    def __init__(self, root: Path, mirror: Mirror | None = None) -> None:
        """`mirror` is where providers are kept, to be shared; without one, each preparation has its own."""
        self._root = root
        self._mirror = mirror

    def ensure(self, key: str, files: Mapping[str, bytes], init: Callable[[Path], None], stop: Stop) -> Prepared:
        """The prepared version, made by `init` in a folder with the code among these files if it is not there yet, or
        if somebody has written into it since.

        One process installs at a time, the others wait for it. `init` runs `terraform init` in the folder it is
        given, with its `.terraform` as TF_DATA_DIR; what it raises is passed on and leaves nothing behind.
        Raises Cancelled when `stop` is pulled while it waits, Invalid for names that leave the folder, ExternalFailure
        when the folder cannot be written.
        """
        target = self._root / key
        if not _is_ready(target):
            safely.check_names(files)
            safely.folder(self._root)
            try:
                with self._installer(stop):
                    # another process may have made it while this one waited
                    if not (_is_ready(target) or _was_only_moved(target)):
                        self._install(target, files, init)
            except OSError as error:
                raise safely.cannot("prepare", target, error) from error
        lock_file = target / LOCK_FILE
        return Prepared(target / _DATA, lock_file.read_bytes() if lock_file.is_file() else None)

    def providers(self) -> Iterator[tuple[str, Package]]:
        """Every provider that a preparation uses, with the preparation's key."""
        for target in sorted(self._root.glob("[!.]*")):
            yield from ((target.name, package) for package in used(target / _DATA))

    def sweep(self) -> None:
        """Removes what an installer that was killed has left, as code may hold secrets; not while somebody installs."""
        if not any(self._root.glob(f"{_BUILDING}*")):
            return
        with self._lock() as is_ours:
            if is_ours():
                self._discard_leftovers()

    @contextmanager
    def _installer(self, stop: Stop) -> Iterator[None]:
        """Alone in here."""
        with self._lock() as is_ours, stop.attached() as pulled:
            while not is_ours():
                if stop.requested:
                    raise Cancelled("Stopped while another process was preparing a template version.")
                # nobody tells when a lock becomes free
                select.select([pulled], [], [], _LOOK_AGAIN_S)
            yield

    @contextmanager
    def _lock(self) -> Iterator[Callable[[], bool]]:
        """A question that tries to take the installers' lock: whether it is ours."""
        number = os.open(self._root / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)

        def is_ours() -> bool:
            try:
                fcntl.flock(number, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return False
            return True

        try:
            yield is_ours
        finally:
            # the system frees it when the process ends, however it ends
            os.close(number)

    def _install(self, target: Path, files: Mapping[str, bytes], init: Callable[[Path], None]) -> None:
        self._discard_leftovers()
        building = Path(tempfile.mkdtemp(prefix=_BUILDING, dir=self._root))
        try:
            for name, content in files.items():
                if not name.endswith(_VALUES):
                    safely.put(building, name, content, building / _TEMPORARY)
            init(building)
            _make_relative(building)
            if self._mirror is not None:
                self._mirror.adopt(building / _DATA)
            _strip(building)
            self._publish(building, target)
        finally:
            seal.discard(building)

    def _publish(self, building: Path, target: Path) -> None:
        if os.path.lexists(target):
            # damaged; whoever reads it now shall miss it for a moment only
            target.rename(f"{building}-before")
        building.rename(target)
        self._discard_leftovers()

    def _discard_leftovers(self) -> None:
        for left in self._root.glob(f"{_BUILDING}*"):
            seal.discard(left)


def _strip(building: Path) -> None:
    """Leaves what init made, for reading only, and says what that is; the files were those of one instance."""
    for path in building.iterdir():
        if path.is_dir() and not path.is_symlink() and path.name != _DATA:
            shutil.rmtree(path)
        elif path.name not in (_DATA, LOCK_FILE):
            path.unlink()
    seal.close(safely.folder(building / _DATA))
    _note(building, seal.of(building, _MANIFEST))


def _make_relative(building: Path) -> None:
    """Takes the folder's name, which is about to change, out of the paths that init wrote down."""
    modules = building / _DATA / "modules" / "modules.json"
    if modules.is_file():
        name = json.dumps(f"{building}/", ensure_ascii=False)[1:-1]
        modules.write_text(modules.read_text(encoding="utf-8").replace(name, ""), encoding="utf-8")


def _is_ready(target: Path) -> bool:
    noted = _noted(target)
    is_untouched = noted is not None and seal.is_untouched(target, noted, _MANIFEST)
    # a provider that was removed, to make room, is fetched again
    return is_untouched and seal.links_lead_somewhere(target, noted or {})


def _was_only_moved(target: Path) -> bool:
    """Whether it still holds what it did, in a home that was copied or restored; from then on it is ready."""
    noted = _noted(target)
    if noted is None:
        return False
    try:
        found = seal.of(target, _MANIFEST)
    except OSError:
        return False
    if not seal.holds_the_same(found, noted) or not seal.links_lead_somewhere(target, noted):
        return False
    _note(target, found)
    return True


def _note(folder: Path, found: seal.Seal) -> None:
    text = json.dumps({name: [seen.stamp, seen.digest] for name, seen in sorted(found.items())}, indent=2)
    safely.put(folder, _MANIFEST, f"{text}\n".encode(), folder / _TEMPORARY)


def _noted(target: Path) -> seal.Seal | None:
    """What it held when it was made; None when nobody can tell, or when that was not finished."""
    try:
        known = json.loads((target / _MANIFEST).read_bytes())
        noted = {str(name): seal.Seen(*map(str, seen)) for name, seen in known.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return None
    return noted if (target / _DATA).is_dir() else None
