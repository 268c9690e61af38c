"""Archives and folders from people who may mean harm."""

from __future__ import annotations

import gzip
import io
import os
import tarfile
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.bundles import pack
from engine.bundles.limits import Limits
from engine.errors import Invalid

NAME = "web.tar.gz"
SMALL = Limits(archive_bytes=20_000, file_bytes=1000, total_bytes=3000, files=3, ratio=20, ratio_from_bytes=50_000)


def member(
    name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE, link: str = ""
) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    info.size = len(content) if kind == tarfile.REGTYPE else 0
    return info, content


def tar(members: Iterable[tuple[tarfile.TarInfo, bytes]], form: int = tarfile.GNU_FORMAT) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=form) as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return plain.getvalue()


def tar_gz(*members: tuple[tarfile.TarInfo, bytes], form: int = tarfile.GNU_FORMAT) -> bytes:
    return gzip.compress(tar(members, form))


def refusals(archive: bytes, limits: Limits = SMALL) -> list[str]:
    with pytest.raises(Invalid) as caught:
        pack.unpack(archive, NAME, limits)
    return [str(problem) for problem in caught.value.problems] or [caught.value.message]


HOSTILE = {
    "symbolic link": (member("a", kind=tarfile.SYMTYPE, link="/etc/passwd"), "a: is a symbolic link."),
    "hard link": (member("a", kind=tarfile.LNKTYPE, link="b"), "a: is a hard link."),
    "character device": (member("a", kind=tarfile.CHRTYPE), "a: is a device."),
    "block device": (member("a", kind=tarfile.BLKTYPE), "a: is a device."),
    "named pipe": (member("a", kind=tarfile.FIFOTYPE), "a: is a named pipe."),
    "sparse file": (member("a", kind=tarfile.GNUTYPE_SPARSE), "a: is a sparse file."),
    "unknown kind": (member("a", kind=b"Z"), "a: is of a kind that bundles do not need: 'Z'."),
    "absolute path": (member("/etc/x"), "/etc/x: has an absolute path."),
    "parent folder": (member("../x"), '../x: has ".." in its path.'),
    "parent folder inside": (member("a/../../x"), 'a/../../x: has ".." in its path.'),
    "folder above": (member("../x/", b"", tarfile.DIRTYPE), '../x: has ".." in its path.'),
    "backslash": (member("a\\b"), "a\\b: has a backslash in its name."),
    "line end": (member("a\nb"), "a\\nb: has a control character in its name."),
    "escape sequence": (member("a\x1b[2J"), "a\\x1b[2J: has a control character in its name."),
    "text direction": (member("a\u202eb"), "a\\u202eb: has a control character in its name."),
    "not UTF-8": (member("a\udcff"), "a\\udcff: has a control character in its name."),
    "empty folder name": (member("a//b"), "a//b: has an empty or dotted folder name in its path."),
    "no name": (member(""), "has no name."),
    "dots": (member("a/./b"), "a/./b: has an empty or dotted folder name in its path."),
    "long name": (member("n" * 256), "n" * 77 + "...: has a name longer than 255 bytes."),
    "long path": (member("abc/" * 257 + "x"), ("abc/" * 20)[:77] + "...: has a path longer than 1,024 bytes."),
    "large file": (member("a", b"x" * 1001), "a: is too large."),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_member_is_refused_by_name(case: str) -> None:
    hostile, message = HOSTILE[case]

    assert refusals(tar_gz(member("schema/schema.yaml"), hostile)) == [message]


def test_every_refused_member_is_named_at_once() -> None:
    archive = tar_gz(member("../x"), member("a", kind=tarfile.SYMTYPE, link="b"), member("ok"), member("ok"))

    assert refusals(archive) == [
        '../x: has ".." in its path.',
        "a: is a symbolic link.",
        "ok: is in the archive twice.",
    ]


def test_a_file_cannot_be_a_folder_too() -> None:
    assert refusals(tar_gz(member("a"), member("a/b"))) == ["a/b: lies in a, which is a file."]


@pytest.mark.parametrize("key", ["GNU.sparse.major", "size", "linkpath", "hdrcharset"])
def test_a_pax_header_that_changes_the_meaning_of_a_member_is_refused(key: str) -> None:
    info, content = member("a")
    info.pax_headers = {key: "1"}

    found = refusals(tar_gz((info, content), form=tarfile.PAX_FORMAT))

    assert found == [f"a: has a PAX header that bundles do not need: {key}."]


def test_a_pax_header_that_cannot_be_read_is_refused() -> None:
    info, content = member("a")
    info.pax_headers = {"comment": "hello"}
    archive = gzip.compress(tar([(info, content)], tarfile.PAX_FORMAT).replace(b"17 comment=", b"99 comment="))

    assert refusals(archive) == [f"{NAME}: has a PAX header that cannot be read."]


def test_something_else_than_gzip_is_refused() -> None:
    assert refusals(b"PK\x03\x04 this is a zip") == [f"{NAME}: is not a gzip archive, or is damaged."]
    assert refusals(b"") == [f"{NAME}: is cut off."]


def test_something_else_than_tar_is_refused() -> None:
    assert refusals(gzip.compress(b"hello " * 100)) == [f"{NAME}: is not a tar archive, or is damaged."]


def test_an_archive_that_is_cut_off_is_refused() -> None:
    whole = tar([member("a", b"x" * 600), member("b")])

    assert refusals(gzip.compress(whole)[:-9]) == [f"{NAME}: is cut off."]
    assert refusals(gzip.compress(whole[:1000])) == [f"{NAME}: is cut off."]
    assert refusals(gzip.compress(whole[:1536])) == [f"{NAME}: is cut off."]


def test_a_changed_byte_is_noticed() -> None:
    whole = bytearray(tar([member("a"), member("b")]))
    whole[1024] ^= 1

    assert refusals(gzip.compress(bytes(whole))) == [f"{NAME}: is not a tar archive, or is damaged."]


def test_nothing_hides_behind_the_end() -> None:
    assert refusals(gzip.compress(tar([member("a")]) + tar([member("b")]))) == [f"{NAME}: has data after its end."]


def test_an_archive_that_grows_too_much_is_refused() -> None:
    bomb = gzip.compress(tar([member(f"f{n}", bytes(1000)) for n in range(50)]))

    assert refusals(bomb, Limits(ratio=20, ratio_from_bytes=10_000)) == [
        f"{NAME}: grows to more than 20 times its size."
    ]


def test_an_archive_with_too_many_files_is_refused() -> None:
    assert refusals(tar_gz(*(member(f"f{n}") for n in range(4)))) == [f"{NAME}: holds more than 3 files."]


def test_an_archive_with_too_much_in_it_is_refused() -> None:
    limits = Limits(total_bytes=100, files=1, ratio_from_bytes=10**9, file_bytes=10**7)

    found = refusals(tar_gz(member("a", os.urandom(1_200_000))), limits)

    assert found == [f"{NAME}: holds more than 100 bytes."]


def test_an_archive_that_is_too_large_is_not_even_opened() -> None:
    assert refusals(b"x" * 20_001) == [f"{NAME} has 20,001 bytes; a bundle may have 20,000 bytes."]


def test_the_limits_are_those_of_proton() -> None:
    limits = Limits()

    assert (limits.archive_bytes, limits.file_bytes, limits.files, limits.ratio) == (10_485_760, 2_097_152, 5000, 200)


def test_folders_a_leading_dot_and_harmless_headers_are_accepted() -> None:
    info, content = member("./a/b")
    info.pax_headers = {"mtime": "1.5", "comment": "c", "LIBARCHIVE.xattr.x": "y"}
    archive = tar_gz(
        member("./", b"", tarfile.DIRTYPE),
        member("./a/", b"", tarfile.DIRTYPE),
        (info, content),
        form=tarfile.PAX_FORMAT,
    )

    assert pack.unpack(archive, NAME) == {"a/b": b"x"}


@pytest.mark.parametrize(
    "path", [".git/config", "a/.terraform/x", "terraform.tfstate", "x.tfstate.backup", "._main.tf"]
)
def test_what_no_bundle_needs_is_left_out(path: str) -> None:
    assert pack.unpack(tar_gz(member(path), member("a/.terraform.lock.hcl")), NAME) == {"a/.terraform.lock.hcl": b"x"}


PATHS = st.from_regex(r"[a-zé日]{1,60}(/[a-z.ü]{1,60}x){0,4}", fullmatch=True)


def separate(files: dict[str, bytes]) -> bool:
    return not any(other.startswith(f"{path}/") for path in files for other in files)


FILES = st.dictionaries(PATHS, st.binary(max_size=700), max_size=5).filter(separate)


@given(FILES)
def test_unpacking_gives_what_was_packed(files: dict[str, bytes]) -> None:
    assert pack.unpack(pack.pack(files), NAME) == files


@given(FILES, st.sampled_from([tarfile.GNU_FORMAT, tarfile.PAX_FORMAT]), st.randoms())
def test_the_digest_does_not_depend_on_how_files_travelled(files: dict[str, bytes], form: int, random: object) -> None:
    paths = list(files)
    random.shuffle(paths)  # type: ignore[attr-defined]
    archive = tar_gz(*(member(f"./{path}", files[path]) for path in paths), form=form)

    assert pack.digest(pack.unpack(archive, NAME)) == pack.digest(files)


@given(FILES, FILES)
def test_different_files_have_different_digests(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    assert (pack.digest(one) == pack.digest(other)) == (one == other)


def test_packing_is_the_same_every_time() -> None:
    assert pack.pack({"b": b"1", "a": b"2"}) == pack.pack({"a": b"2", "b": b"1"})


@given(st.binary(max_size=3000))
def test_any_bytes_are_files_or_refused(content: bytes) -> None:
    for archive in (content, gzip.compress(content)):
        with suppress(Invalid):
            assert isinstance(pack.unpack(archive, NAME, SMALL), dict)


@given(st.integers(0, 2047), st.integers(0, 255))
def test_any_damaged_header_is_files_or_refused(at: int, byte: int) -> None:
    whole = bytearray(tar([member("a/b"), member("c" * 150)]))
    whole[at] = byte
    header = at // 512 * 512
    total = sum(whole[header : header + 512]) - sum(whole[header + 148 : header + 156]) + 256
    whole[header + 148 : header + 156] = b"%06o\0 " % total

    try:
        files = pack.unpack(gzip.compress(bytes(whole)), NAME, SMALL)
    except Invalid:
        return
    assert all(not path.startswith("/") and ".." not in path.split("/") for path in files)


def test_a_folder_is_read_with_its_hidden_files(tmp_path: Path) -> None:
    (tmp_path / "schema").mkdir()
    (tmp_path / "schema" / "schema.yaml").write_bytes(b"s")
    (tmp_path / ".compatible-envs").write_bytes(b"net:1")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").write_bytes(b"secret")
    (tmp_path / "terraform.tfstate").write_bytes(b"secret")

    assert pack.read_folder(tmp_path) == {"schema/schema.yaml": b"s", ".compatible-envs": b"net:1"}


def test_a_folder_with_links_or_pipes_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").symlink_to("/etc/passwd")
    (tmp_path / "folder").symlink_to("/etc")
    (tmp_path / "dangling").symlink_to("nowhere")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(bytes(1001))

    with pytest.raises(Invalid) as caught:
        pack.read_folder(tmp_path, SMALL)

    assert sorted(map(str, caught.value.problems)) == [
        "dangling: is a symbolic link.",
        "file: is a symbolic link.",
        "folder: is a symbolic link.",
        "large: is too large.",
        "pipe: is not a regular file.",
    ]


def test_a_folder_with_too_many_files_is_refused(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).write_bytes(b"x")

    with pytest.raises(Invalid, match="holds more than 3 files"):
        pack.read_folder(tmp_path, SMALL)


@pytest.mark.parametrize("root", ["", "web/", "a/b/v1/"])
def test_the_bundle_is_found_wherever_it_is_wrapped(root: str) -> None:
    files = {f"{root}schema/schema.yaml": b"s", f"{root}infrastructure/main.tf": b"m"}

    assert pack.rooted({**files, "README": b"r"}, NAME) == (
        {"schema/schema.yaml": b"s", "infrastructure/main.tf": b"m"} | ({} if root else {"README": b"r"})
    )


def test_several_bundles_are_named() -> None:
    with pytest.raises(Invalid) as caught:
        pack.rooted({"v2/schema/schema.yaml": b"", "v1/schema/schema.yaml": b"", "schema/schema.yaml": b""}, NAME)

    assert caught.value.message == "web.tar.gz holds 3 bundles, where one is expected: ., v1, v2."


def test_no_bundle_says_what_is_expected() -> None:
    with pytest.raises(Invalid) as caught:
        pack.rooted({"main.tf": b"", "myschema/schema.yaml": b""}, NAME)

    assert caught.value.message == "web.tar.gz holds no schema/schema.yaml."
    assert caught.value.hint.startswith("A bundle has schema/schema.yaml beside infrastructure/")
