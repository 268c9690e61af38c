"""Spec files that are no documents, and documents that say what cannot be done."""

from __future__ import annotations

from tests.scenarios.bad_input import Case

_LAKE = "env create lake -t lab -f spec.yaml"
_HEAD = "proton: EnvironmentSpec\nspec:\n"
_BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join([f'*a{level - 1}'] * 10)}]\n" for level in range(1, 9)
)

_CREATE = "service create shop -t web -f spec.yaml"
_UPDATE = "service update orders -f spec.yaml"
_LIVE = "proton: ServiceSpec\ninstances:\n  - name: live\n    environment: prod\n"


_PROD = _LIVE.replace("live", "prod")
_MOVED = _PROD.replace("environment: prod", "environment: island")


def _spec(text: str) -> dict[str, str]:
    return {"spec.yaml": text}


CASES = (
    Case("a tab that indents", {"spec.yaml": _HEAD + "\tzone: b\n"}, _LAKE),
    Case("a quote that is not closed", {"spec.yaml": _HEAD + '  zone: "b\n  size: 2\n'}, _LAKE),
    Case("a bracket that is not closed", {"spec.yaml": _HEAD + "  zone: [b\n  size: 2\n"}, _LAKE),
    Case("a colon without a space", {"spec.yaml": _HEAD + "  zone:b\n  size: 2\n"}, _LAKE),
    Case("a line that is indented unlike the others", {"spec.yaml": _HEAD + "  zone: b\n size: 2\n"}, _LAKE),
    Case("a star without quotes", {"spec.yaml": _HEAD + "  zone: *\n"}, _LAKE),
    Case("a key given twice", {"spec.yaml": _HEAD + "  zone: b\n  size: 2\n  zone: c\n"}, _LAKE),
    Case("two documents", {"spec.yaml": f"{_HEAD}  zone: b\n---\n{_HEAD}  zone: c\n"}, _LAKE),
    Case("a bomb of aliases", {"spec.yaml": _BOMB}, _LAKE),
    Case("an alias that contains itself", {"spec.yaml": _HEAD + "  zone: &me [b, *me]\n"}, _LAKE),
    Case("an alias without an anchor", {"spec.yaml": _HEAD + "  zone: *other\n"}, _LAKE),
    Case("a merge key", {"spec.yaml": _HEAD + "  <<: {zone: b}\n"}, _LAKE),
    Case("a tag of Python's", {"spec.yaml": _HEAD + "  zone: !!python/object/apply:os.system [ls]\n"}, _LAKE),
    Case("a key that is a number", {"spec.yaml": _HEAD + "  8080: open\n"}, _LAKE),
    Case("an infinite number", {"spec.yaml": _HEAD + "  size: .inf\n"}, _LAKE),
    Case("a number of a thousand digits", {"spec.yaml": f"{_HEAD}  size: {'9' * 1000}\n"}, _LAKE),
    Case("fifty-one levels", {"spec.yaml": f"{_HEAD}  zone: {'[' * 60}{']' * 60}\n"}, _LAKE),
    Case("a NUL character", {"spec.yaml": _HEAD + "  zone: b\0c\n"}, _LAKE),
    Case("an escape that terminals obey", {"spec.yaml": _HEAD + '  zone: "\\e[2J"\n'}, _LAKE),
    Case("a picture", {"spec.yaml": b"\x89PNG\r\n\x1a\n\xff\xfe"}, _LAKE),
    Case("UTF-16", {"spec.yaml": _HEAD.encode("utf-16")}, _LAKE),
    Case("Latin-1 in the third line", {"spec.yaml": _HEAD.encode() + b"  zone: Z\xfcrich\n"}, _LAKE),
    Case("more than 51,200 characters", {"spec.yaml": f"{_HEAD}  zone: {'b' * 51_200}\n"}, _LAKE),
    Case("nothing but blank lines", {"spec.yaml": "\n \n"}, _LAKE),
    Case("nothing but a comment", {"spec.yaml": "# to be written\n"}, _LAKE),
    Case("plain words", {"spec.yaml": "please make me a lake\n"}, _LAKE),
    Case("three mistakes at once", {"spec.yaml": _HEAD + "  zone: b\n  zone: c\n  7: d\n  size: .nan\n"}, _LAKE),
    Case("no such file", {}, _LAKE),
    Case("a folder", {"spec.yaml/notes": ""}, _LAKE),
    Case("nothing on standard input", {}, "env create lake -t lab -f -"),
    Case("a service spec for an environment", _spec(_LIVE), _LAKE),
    Case("an environment spec for a service", _spec("proton: EnvironmentSpec\nspec: {}\n"), _CREATE),
    Case(
        "an environment spec for an instance",
        _spec("proton: EnvironmentSpec\n"),
        "instance update orders/prod -f spec.yaml",
    ),
    Case("no kind of spec", _spec("instances: []\n"), _CREATE),
    Case("an unknown kind of spec", _spec("proton: ServiceSpek\n"), _CREATE),
    Case("an unknown key at the top", _spec(_LIVE + "instance: []\n"), _CREATE),
    Case("a pipeline that the template does not have", _spec(_LIVE + "pipeline: {branch: main}\n"), _CREATE),
    Case("instances as a mapping", _spec("proton: ServiceSpec\ninstances:\n  live: {environment: prod}\n"), _CREATE),
    Case("no instances", _spec("proton: ServiceSpec\ninstances: []\n"), _CREATE),
    Case("an instance that is a word", _spec("proton: ServiceSpec\ninstances: [live]\n"), _CREATE),
    Case("an instance without name and environment", _spec("proton: ServiceSpec\ninstances:\n  - spec: {}\n"), _CREATE),
    Case("an unknown key of an instance", _spec(_LIVE + "    env: prod\n    specs: {}\n"), _CREATE),
    Case("inputs as a list", _spec(_LIVE + "    spec: [port, 80]\n"), _CREATE),
    Case(
        "an instance whose name is a number",
        _spec("proton: ServiceSpec\ninstances:\n  - {name: 1, environment: prod}\n"),
        _CREATE,
    ),
    Case("two instances of one name", _spec(_LIVE + "  - name: live\n    environment: prod\n"), _CREATE),
    Case("an environment that does not exist", _spec(_LIVE.replace("prod", "prd")), _CREATE),
    Case("neither spec nor environment", {}, "service create shop -t web"),
    Case("environments in two places", _spec(_LIVE), _CREATE + " --env prod"),
    Case("one environment twice", {}, "service create shop -t web --env prod --env prod"),
    Case("an unknown environment on the command line", {}, "service create shop -t web --env prd"),
    Case("a service that moves an instance", _spec(_MOVED), _UPDATE),
    Case("an instance that moves", _spec(_MOVED), "instance update orders/prod -f spec.yaml"),
    Case("a spec without the instance", _spec(_LIVE), "instance update orders/prod -f spec.yaml"),
    Case("a service edit that changes inputs", _spec(_PROD + "    spec: {port: 81}\n"), _UPDATE),
    Case("a service edit without instances", _spec("proton: ServiceSpec\n"), _UPDATE),
    Case(
        "a service edit with an unknown environment", _spec(_PROD + "  - name: live\n    environment: prd\n"), _UPDATE
    ),
    Case("a service edit of nothing", {}, "service update orders"),
)
