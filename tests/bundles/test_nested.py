"""What a part declares with its own modules in it."""

from __future__ import annotations

from engine.bundles import code, nested


def parsed(text: str, file: str) -> code.Parsed:
    return code.parse(text.encode(), file)


def call(name: str, source: str) -> str:
    return f'module "{name}" {{\n  source = "{source}"\n}}\n'


def test_modules_are_followed_once_for_each_call() -> None:
    root = (parsed(call("a", "./m") + call("b", "./m"), "main.tf"),)
    modules = {
        "m": (parsed(call("n", "./n"), "m/main.tf"),),
        "m/n": (parsed('resource "x_y" "z" {}\nmoved {\n  from = x_y.w\n  to = x_y.z\n}\n', "m/n/main.tf"),),
    }

    found = nested.declared(root, modules)

    assert [resource.address for resource in found.resources] == [
        "module.a",
        "module.a.module.n",
        "module.a.module.n.x_y.z",
        "module.b",
        "module.b.module.n",
        "module.b.module.n.x_y.z",
    ]
    assert [(block.origin, block.target) for block in found.moved] == [
        ("module.a.module.n.x_y.w", "module.a.module.n.x_y.z"),
        ("module.b.module.n.x_y.w", "module.b.module.n.x_y.z"),
    ]


def test_a_module_that_calls_itself_is_followed_once() -> None:
    root = (parsed(call("a", "./m"), "main.tf"),)

    found = nested.declared(root, {"m": (parsed(call("again", "../m"), "m/main.tf"),)})

    assert [resource.address for resource in found.resources] == ["module.a", "module.a.module.again"]


def test_a_bundle_that_multiplies_its_modules_is_cut_off_and_says_so() -> None:
    root = (parsed(call("a", "./m0"), "main.tf"),)
    modules = {
        f"m{level}": (parsed("".join(call(name, f"../m{level + 1}") for name in "abcd"), f"m{level}/main.tf"),)
        for level in range(12)
    }

    found = nested.declared(root, {**modules, "m12": (parsed("", "m12/main.tf"),)})

    assert len(found.resources) < 10_000
    assert found.unread != ()
