"""Spec files that are no documents."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_COMMAND = "env create lake -t lab -f spec.yaml"
_HEAD = "proton: EnvironmentSpec\nspec:\n"
_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)

CASES = (
    Case("a tab that indents", {"spec.yaml": _HEAD + "\tzone: b\n"}, _COMMAND, FILL, FILL),
    Case("a quote that is not closed", {"spec.yaml": _HEAD + '  zone: "b\n  size: 2\n'}, _COMMAND, FILL, FILL),
    Case("a bracket that is not closed", {"spec.yaml": _HEAD + "  zone: [b\n  size: 2\n"}, _COMMAND, FILL, FILL),
    Case("a colon without a space", {"spec.yaml": _HEAD + "  zone:b\n  size: 2\n"}, _COMMAND, FILL, FILL),
    Case("a key given twice", {"spec.yaml": _HEAD + "  zone: b\n  size: 2\n  zone: c\n"}, _COMMAND, FILL, FILL),
    Case("two documents", {"spec.yaml": f"{_HEAD}  zone: b\n---\n{_HEAD}  zone: c\n"}, _COMMAND, FILL, FILL),
    Case("a bomb of aliases", {"spec.yaml": _BOMB}, _COMMAND, FILL, FILL),
    Case("an alias that contains itself", {"spec.yaml": _HEAD + "  zone: &me [b, *me]\n"}, _COMMAND, FILL, FILL),
    Case("an alias without an anchor", {"spec.yaml": _HEAD + "  zone: *other\n"}, _COMMAND, FILL, FILL),
    Case("a merge key", {"spec.yaml": _HEAD + "  <<: {zone: b}\n"}, _COMMAND, FILL, FILL),
    Case("a tag of Python's", {"spec.yaml": _HEAD + "  zone: !!python/object/apply:os.system [ls]\n"}, _COMMAND, FILL, FILL),
    Case("a key that is a number", {"spec.yaml": _HEAD + "  8080: open\n"}, _COMMAND, FILL, FILL),
    Case("an infinite number", {"spec.yaml": _HEAD + "  size: .inf\n"}, _COMMAND, FILL, FILL),
    Case("a number of a thousand digits", {"spec.yaml": f"{_HEAD}  size: {'9' * 1000}\n"}, _COMMAND, FILL, FILL),
    Case("fifty-one levels", {"spec.yaml": f"{_HEAD}  zone: {'[' * 60}{']' * 60}\n"}, _COMMAND, FILL, FILL),
    Case("a NUL character", {"spec.yaml": _HEAD + "  zone: b\0c\n"}, _COMMAND, FILL, FILL),
    Case("an escape that terminals obey", {"spec.yaml": _HEAD + '  zone: "\\e[2J"\n'}, _COMMAND, FILL, FILL),
    Case("a picture", {"spec.yaml": b"\x89PNG\r\n\x1a\n\xff\xfe"}, _COMMAND, FILL, FILL),
    Case("UTF-16", {"spec.yaml": _HEAD.encode("utf-16")}, _COMMAND, FILL, FILL),
    Case("Latin-1 in the third line", {"spec.yaml": _HEAD.encode() + b"  zone: Z\xfcrich\n"}, _COMMAND, FILL, FILL),
    Case("more than 51,200 characters", {"spec.yaml": f"{_HEAD}  zone: {'b' * 51_200}\n"}, _COMMAND, FILL, FILL),
    Case("nothing but blank lines", {"spec.yaml": "\n \n"}, _COMMAND, FILL, FILL),
    Case("nothing but a comment", {"spec.yaml": "# to be written\n"}, _COMMAND, FILL, FILL),
    Case("plain words", {"spec.yaml": "please make me a lake\n"}, _COMMAND, FILL, FILL),
    Case("three mistakes at once", {"spec.yaml": _HEAD + "  zone: b\n  zone: c\n  7: d\n  size: .nan\n"}, _COMMAND, FILL, FILL),
    Case("no such file", {}, _COMMAND, FILL, FILL),
    Case("a folder", {"spec.yaml/notes": ""}, _COMMAND, FILL, FILL),
    Case("a name with a NUL in it", {}, "env create lake -t lab -f 'spec\0.yaml'", FILL, FILL),
    Case("nothing on standard input", {}, "env create lake -t lab -f -", FILL, FILL),
)
