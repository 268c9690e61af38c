"""Rendering `*.tf.j2`: the only place that knows Jinja. Import it late: Jinja costs a tenth of a second.

Templates may come from people who mean harm: they see the values and each other, but no files and no Python internals.
What they write is bounded. The time they take is not: Terraform code, once it is run, may do anything anyway.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from types import TracebackType
from typing import NoReturn

from jinja2 import (
    BaseLoader,
    Environment,
    FunctionLoader,
    StrictUndefined,
    TemplateNotFound,
    TemplateSyntaxError,
    Undefined,
    UndefinedError,
)
from jinja2.exceptions import SecurityError, TemplateError, TemplateRuntimeError
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

from engine.core.hcl_text import hcl
from engine.core.nearest import did_you_mean
from engine.core.outputs import Secret
from engine.errors import Invalid, Problem

SIZE_MAX = 1_000_000
"""Characters that a rendered file, or a text repeated with `*`, may have."""
_NUMBER_MAX = 10**1000
_POWER_MAX = 1000
_UNBOUNDED = frozenset({"center", "expandtabs", "format", "format_map", "ljust", "rjust", "zfill"})
"""What can make a huge text of a small one in a single step."""
_DICT_METHODS = frozenset({"get", "items", "keys", "values"})
_FAILURES = (
    TemplateError,
    Invalid,
    ArithmeticError,
    AttributeError,
    LookupError,
    MemoryError,
    RuntimeError,
    SyntaxError,
    TypeError,
    ValueError,
)
"""All that a template can bring about while it is compiled or rendered."""


def environment(loader: BaseLoader | None = None) -> Environment:
    """The filters, tests and functions that templates have, and the bounds they keep; to check them and to render them.

    Without a `loader` it can only parse.
    """
    # autoescape is for HTML
    made = _Environment(loader=loader, undefined=_Undefined, keep_trailing_newline=True, autoescape=False)
    made.filters |= {"hcl": hcl, "tojson": hcl}
    for name in _UNBOUNDED & made.filters.keys():
        del made.filters[name]
    del made.globals["lipsum"]
    return made


class Renderer:
    """The `*.tf.j2` files of one part with one set of values."""

    def __init__(self, sources: Mapping[str, bytes], values: Mapping[str, object], folder: str) -> None:
        """`sources` maps file name -> content; `folder` is put before the names in problems.

        A template that uses a Secret among the values is refused.
        """
        self._sources = sources
        self._values = {name: _with_paths(value, name) for name, value in values.items()}
        self._folder = folder
        self._environment = environment(FunctionLoader(self._load))

    def text(self, name: str) -> str | Problem:
        """The rendered text of the file `name`, or what is wrong in it or in a file it includes."""
        try:
            return "".join(_bounded(self._environment.get_template(name).generate(self._values)))
        except _FAILURES as error:
            return self._problem(name, error)

    def _load(self, name: str) -> tuple[str, str, Callable[[], bool]]:
        if name not in self._sources:
            raise TemplateNotFound(name)
        return self._sources[name].decode("utf-8-sig"), name, lambda: True

    def _problem(self, name: str, error: BaseException) -> Problem:
        file, line = self._place(name, error)
        return Problem(f"{self._folder}/{file}", line, "", _message(error), rule="jinja/render", hint=self._hint(error))

    def _place(self, name: str, error: BaseException) -> tuple[str, int]:
        if isinstance(error, TemplateSyntaxError):
            return error.name or name, error.lineno
        places = [place for place in _frames(error.__traceback__) if place[0] in self._sources]
        return places[-1] if places else (name, 0)

    def _hint(self, error: BaseException) -> str:
        if isinstance(error, TemplateNotFound):
            known = did_you_mean(str(error.name), self._sources).strip()
            return known or "Only the part's own *.tf.j2 files can be included."
        if isinstance(error, _SecretUsed):
            return f"Write var.{error.path} in the code, without braces: Terraform gets it without a file."
        if isinstance(error, _NameError):
            return did_you_mean(error.name, self._values if error.known is None else error.known).strip()
        return ""


class _Members(dict[str, object]):
    """A part of the namespace that knows what it is called."""

    def __init__(self, members: Mapping[str, object], path: str) -> None:
        super().__init__((name, _with_paths(value, f"{path}.{name}")) for name, value in members.items())
        self.path = path


class _SecretUsed(SecurityError):
    def __init__(self, path: str) -> None:
        super().__init__(f"{path} is secret, and what a template writes stays in a file.")
        self.path = path


class _Hidden:
    """A secret, which may be passed on by name but not be used: what a template writes stays in a file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def refuse(self, *_: object) -> NoReturn:
        """Raises SecurityError, whatever a template does."""
        raise _SecretUsed(self.path)

    __str__ = __repr__ = __bool__ = __len__ = __iter__ = __int__ = __float__ = refuse
    __eq__ = __lt__ = __le__ = __gt__ = __ge__ = __contains__ = __add__ = __radd__ = __hash__ = refuse


class _NameError(UndefinedError):
    def __init__(self, message: str, name: str, known: Mapping[str, object] | None) -> None:
        super().__init__(message)
        self.name = name
        self.known = known


class _Undefined(StrictUndefined):
    """An undefined value that says, when it is used, where it was looked for."""

    __slots__ = ()
    # a list of undefined values must not print as text either
    __repr__ = StrictUndefined.__str__

    def __init__(
        self,
        hint: str | None = None,
        obj: object = missing,
        name: str | None = None,
        exc: type[TemplateRuntimeError] = UndefinedError,
    ) -> None:
        super().__init__(hint, obj, name, exc)
        if exc is not SecurityError:
            # Jinja only ever calls it with the message, so a function that makes the exception will do
            self._undefined_exception = self._raised  # type: ignore[assignment]

    def _raised(self, message: str) -> _NameError:
        looked_in, name = self._undefined_obj, str(self._undefined_name)
        if looked_in is missing:
            return _NameError(self._undefined_hint or f"{name} is not defined.", name, None)
        known = looked_in if isinstance(looked_in, _Members) else None
        where = f"This {type(looked_in).__name__}" if known is None else known.path
        return _NameError(f"{where} has no {name}.", name, known or {})


class _Environment(ImmutableSandboxedEnvironment):
    intercepted_binops = frozenset({"*", "**", "%"})

    def getattr(self, obj: object, attribute: str) -> object:
        """As Jinja has it, but an input called `items` is that input and not a method of dict."""
        if isinstance(obj, _Hidden):
            obj.refuse()
        if isinstance(obj, _Members):
            return obj[attribute] if attribute in obj else self._member(obj, attribute)
        if isinstance(obj, str) and attribute in _UNBOUNDED:
            return self.unsafe_undefined(obj, attribute)
        return super().getattr(obj, attribute)

    def getitem(self, obj: object, argument: object) -> object:
        """As Jinja has it, but a missing member never turns into an attribute of dict."""
        if isinstance(obj, _Hidden):
            obj.refuse()
        if isinstance(obj, _Members):
            return obj[str(argument)] if argument in obj else self.undefined(obj=obj, name=str(argument))
        if isinstance(obj, str) and argument in _UNBOUNDED:
            return self.unsafe_undefined(obj, str(argument))
        return super().getitem(obj, argument)

    def _member(self, members: _Members, name: str) -> object:
        return getattr(members, name) if name in _DICT_METHODS else self.undefined(obj=members, name=name)

    def unsafe_undefined(self, obj: object, attribute: str) -> Undefined:
        """A value whose use is refused."""
        return self.undefined(f"{attribute} may not be used in a template.", obj, attribute, SecurityError)

    def call_binop(self, context: Context, operator: str, left: object, right: object) -> object:
        """As Jinja has it, within bounds."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("% does not format text in a template; write ~ or the filter replace.")
        if operator == "**" and (_size(left) > _POWER_MAX or _size(right) > _POWER_MAX):
            raise SecurityError(f"Powers go up to {_POWER_MAX} ** {_POWER_MAX}.")
        if operator == "*" and _size(left) * _size(right) > _limit(left, right):
            raise SecurityError("This multiplication makes too much.")
        return super().call_binop(context, operator, left, right)


def _message(error: BaseException) -> str:
    if isinstance(error, TemplateNotFound):
        return f"There is no {error.name} to include."
    return str(getattr(error, "message", None) or error) or type(error).__name__


def _with_paths(value: object, path: str) -> object:
    if isinstance(value, Mapping):
        return _Members(value, path)
    if isinstance(value, list | tuple):
        return [_with_paths(item, f"{path}[{index}]") for index, item in enumerate(value)]
    return _Hidden(path) if isinstance(value, Secret) else value


def _bounded(pieces: Iterable[str]) -> Iterator[str]:
    size = 0
    for piece in pieces:
        size += len(piece)
        if size > SIZE_MAX:
            raise SecurityError(f"The rendered file has more than {SIZE_MAX} characters.")
        yield piece


def _size(value: object) -> float:
    if isinstance(value, int | float):
        return abs(value)
    return len(value) if isinstance(value, str | list | tuple) else 0


def _limit(*values: object) -> int:
    return SIZE_MAX if any(isinstance(value, str | list | tuple) for value in values) else _NUMBER_MAX


def _frames(traceback: TracebackType | None) -> Iterator[tuple[str, int]]:
    while traceback is not None:
        yield traceback.tb_frame.f_code.co_filename, traceback.tb_lineno
        traceback = traceback.tb_next
