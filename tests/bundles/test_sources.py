"""A bundle by whatever name a user gives it."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.bundles import pack
from engine.bundles.limits import Limits
from engine.bundles.scaffold import scaffold
from engine.bundles.sources import fetch
from engine.core.s3 import Object
from engine.core.versions import TemplateKind
from engine.errors import Invalid, NotFound

FILES = scaffold(TemplateKind.ENVIRONMENT, "net")
WRAPPED = pack.pack({f"net/v1/{path}": content for path, content in FILES.items()})


def bucket(wanted: Object) -> tuple[bytes, str]:
    assert (wanted.bucket, wanted.key) == ("bundles", "a b/net.tar.gz")
    return WRAPPED, wanted.version_id or "newest"


def test_a_folder_is_fetched(tmp_path: Path) -> None:
    for path, content in FILES.items():
        (tmp_path / "net" / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "net" / path).write_bytes(content)

    fetched = fetch(str(tmp_path), None)

    assert (fetched.files, fetched.source) == (FILES, str(tmp_path))


@pytest.mark.parametrize("name", ["net.tar.gz", "net.tgz"])
def test_an_archive_is_fetched(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(WRAPPED)

    assert fetch(str(tmp_path / name), None).files == FILES


@pytest.mark.parametrize(
    ("text", "source"),
    [
        ("s3://bundles/a%20b/net.tar.gz", "s3://bundles/a%20b/net.tar.gz?versionId=newest"),
        ("s3://bundles/a%20b/net.tar.gz?versionId=v7", "s3://bundles/a%20b/net.tar.gz?versionId=v7"),
        (
            "s3://bundles/a%20b/net.tar.gz?endpoint=http://127.0.0.1:9000&region=eu-west-1",
            "s3://bundles/a%20b/net.tar.gz?versionId=newest&region=eu-west-1&endpoint=http://127.0.0.1:9000",
        ),
    ],
)
def test_an_object_is_fetched_and_its_version_remembered(text: str, source: str) -> None:
    fetched = fetch(text, bucket)

    assert (fetched.files, fetched.source) == (FILES, source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("https://x/y.tar.gz", "https://x/y.tar.gz cannot be read: only s3:// and git:: addresses are."),
        ("s3://bundles", "s3://bundles is not the address of an S3 object."),
        ("s3:///key", "s3:///key is not the address of an S3 object."),
        ("s3://a/b?versionid=v7", "s3://a/b?versionid=v7 is not the address of an S3 object."),
        ("s3://[x/key", "s3://[x/key is not the address of an S3 object."),
        ("s3://a/b", "s3://a/b cannot be read: S3 is not available here."),
        ("/dev/null", "/dev/null is neither a folder nor a .tar.gz file."),
    ],
)
def test_another_address_is_refused(text: str, message: str) -> None:
    with pytest.raises(Invalid) as caught:
        fetch(text, None)

    assert caught.value.message == message


@pytest.mark.parametrize("text", ["no/such/folder", "a\0b", "n" * 5000])
def test_nothing_there_is_said(text: str) -> None:
    with pytest.raises(NotFound, match="There is no"):
        fetch(text, None)


def test_an_archive_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    (tmp_path / "net.tar.gz").write_bytes(WRAPPED)

    with pytest.raises(Invalid, match="is larger than 100 bytes, which a bundle may have"):
        fetch(str(tmp_path / "net.tar.gz"), None, Limits(archive_bytes=100))
