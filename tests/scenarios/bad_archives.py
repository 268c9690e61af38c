"""Archives that are hostile, broken, or no bundles."""

from __future__ import annotations

import gzip
import io
import random
import tarfile
from collections.abc import Callable, Mapping

from tests.scenarios.bad_input import Case, Content
from tests.scenarios.world import ENVIRONMENT_CODE, ENVIRONMENT_SCHEMA, MANIFEST

_CHECK = "template check b.tar.gz"
_BUNDLE = {
    "schema/schema.yaml": ENVIRONMENT_SCHEMA.encode(),
    "infrastructure/manifest.yaml": MANIFEST.encode(),
    "infrastructure/main.tf": ENVIRONMENT_CODE.encode(),
}
_MIB = 1024 * 1024


def _member(
    name: str, kind: bytes = tarfile.REGTYPE, target: str = "", content: bytes = b""
) -> tuple[tarfile.TarInfo, bytes]:
    found = tarfile.TarInfo(name)
    found.type, found.linkname, found.size = kind, target, len(content)
    return found, content


def _tar(*members: tuple[tarfile.TarInfo, bytes], beside: Mapping[str, bytes] = _BUNDLE) -> bytes:
    """A tar archive of `beside` and the members."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for info, content in [*(_member(name, content=content) for name, content in beside.items()), *members]:
            archive.addfile(info, io.BytesIO(content))
    return plain.getvalue()


def _archive(*members: tuple[tarfile.TarInfo, bytes], beside: Mapping[str, bytes] = _BUNDLE) -> dict[str, Content]:
    return {"b.tar.gz": gzip.compress(_tar(*members, beside=beside), mtime=0)}


def _late(make: Callable[[], bytes]) -> dict[str, Content]:
    return {"b.tar.gz": lambda: gzip.compress(make(), compresslevel=1, mtime=0)}


def _noise(count: int) -> bytes:
    """Bytes that cannot be compressed, the same ones every time."""
    return random.Random(1).randbytes(count)


def _many() -> bytes:
    return _tar(*(_member(f"infrastructure/{number}.txt", content=_noise(16)) for number in range(5000)))


def _large() -> bytes:
    # a sixteenth of it cannot be compressed, so that the size is what is refused, and not the ratio
    content = _noise(_MIB // 8) + bytes(_MIB * 15 // 8)
    return _tar(*(_member(f"infrastructure/{number}.bin", content=content) for number in range(62)))


CASES = (
    Case("a symbolic link", _archive(_member("infrastructure/key.tf", tarfile.SYMTYPE, "/etc/passwd")), _CHECK),
    Case("a hard link", _archive(_member("infrastructure/key.tf", tarfile.LNKTYPE, "/etc/passwd")), _CHECK),
    Case("a device", _archive(_member("infrastructure/null.tf", tarfile.CHRTYPE)), _CHECK),
    Case("a named pipe", _archive(_member("infrastructure/pipe.tf", tarfile.FIFOTYPE)), _CHECK),
    Case("an absolute path", _archive(_member("/etc/cron.d/job")), _CHECK),
    Case("a path that climbs out", _archive(_member("infrastructure/../../main.tf")), _CHECK),
    Case("a file that is there twice", _archive(_member("infrastructure/main.tf", content=b"# other\n")), _CHECK),
    Case("a file inside a file", _archive(_member("infrastructure/main.tf/more.tf")), _CHECK),
    Case("a name of 300 characters", _archive(_member(f"infrastructure/{'a' * 300}.tf")), _CHECK),
    Case("a name that terminals would obey", _archive(_member("infrastructure/\x1b[2Jmain.tf")), _CHECK),
    Case("a name with backslashes", _archive(_member("infrastructure\\main.tf")), _CHECK),
    Case(
        "everything hostile at once",
        _archive(_member("../a"), _member("b", tarfile.SYMTYPE, "/"), _member("/c"), _member("d", tarfile.BLKTYPE)),
        _CHECK,
    ),
    Case(
        "a file of more than 2 MiB", _archive(_member("infrastructure/map.bin", content=_noise(2 * _MIB + 1))), _CHECK
    ),
    Case("a bomb by count", _late(_many), _CHECK),
    Case("a bomb by size", _late(_large), _CHECK),
    Case("a bomb by ratio", _late(lambda: bytes(64 * _MIB)), _CHECK),
    Case("an archive of more than 10 MiB", {"b.tar.gz": lambda: bytes(10 * _MIB + 1)}, _CHECK),
    Case("an archive that is cut off", {"b.tar.gz": gzip.compress(_tar(), mtime=0)[:-40]}, _CHECK),
    Case("an archive that is not compressed", {"b.tar.gz": _tar()}, _CHECK),
    Case("an archive that is no tar inside", {"b.tar.gz": gzip.compress(b"hello " * 200, mtime=0)}, _CHECK),
    Case("an archive with nothing in it", _archive(beside={}), _CHECK),
    Case("a file with nothing in it", {"b.tar.gz": b""}, _CHECK),
    Case("an archive without a schema", _archive(beside={"main.tf": b""}), _CHECK),
    Case(
        "an archive of two bundles", _archive(beside={"a/schema/schema.yaml": b"", "b/schema/schema.yaml": b""}), _CHECK
    ),
    Case("a hostile archive to register", _archive(_member("../../etc/passwd")), "template register lake b.tar.gz"),
    Case("a zip file", {"b.zip": b"PK\x03\x04"}, "template check b.zip"),
    Case("a folder without a schema", {"b/main.tf": ""}, "template check b"),
    Case("no name of a bundle", {}, "template check ''"),
    Case("no such bundle", {}, "template check nowhere"),
    Case("a bundle on the web", {}, "template check https://x.example/b.tar.gz"),
    Case("an S3 address without a key", {}, "template check s3://bucket"),
)
