"""A method of a service, as clients see it over a network."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any, get_args, get_type_hints

import msgspec

__all__ = ["Arguments", "Method", "method_of"]


class Arguments(msgspec.Struct, frozen=True):
    """
    The arguments of one call of a method, each as an attribute and as an item.

    ``{**arguments, "text": "other"}`` is a copy with another text.
    """

    def __getitem__(self, name: str) -> Any:
        if name not in self.__struct_fields__:
            raise KeyError(name)
        return getattr(self, name)

    def __iter__(self) -> Iterator[str]:
        return iter(self.__struct_fields__)

    def keys(self) -> tuple[str, ...]:
        """Return the names of all arguments."""
        return self.__struct_fields__

    def get(self, name: str, default: object = None) -> Any:
        """Return an argument, or the default if the method has no such argument."""
        return getattr(self, name, default)


class Method(msgspec.Struct, frozen=True):
    """
    A method of a service, as clients see it over a network.

    Args:
        name: ``service.method``.
        changes: True for a command, False for a query.
        arguments: a struct with a field for each argument.
        result: the type of the result.
        plain: True if ``function`` returns a decision, False if it must be awaited.
        function: takes the service, and the arguments by name.
        signature: the signature of the function.
        doc: the docstring of the function.
    """

    name: str
    changes: bool
    arguments: type[Arguments]
    result: Any
    plain: bool
    function: Callable[..., Any]
    signature: inspect.Signature
    doc: str

    def bound(
        self, service: object, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> dict[str, Any]:
        """Return the arguments of a call, by name."""
        given = self.signature.bind(service, *args, **kwargs)
        # Leave out the service itself.
        return dict(list(given.arguments.items())[1:])

    @property
    def keyed(self) -> bool:
        """True if the method takes an idempotency key."""
        return "key" in self.arguments.__struct_fields__


def method_of(name: str, function: Callable[..., Any], *, changes: bool) -> Method:
    """
    Describe a function that is marked as a method.

    Args:
        name: ``service.method``.
        function: takes the service, and arguments that all have a type annotation.
        changes: True for a command.
    """
    hints, signature = get_type_hints(function), inspect.signature(function)
    plain = not inspect.iscoroutinefunction(function)
    result = hints.pop("return")
    fields: list[Any] = []
    for parameter in list(signature.parameters.values())[1:]:
        hint = hints[parameter.name]
        optional = parameter.default is not parameter.empty
        fields.append(
            (parameter.name, hint, parameter.default) if optional else (parameter.name, hint)
        )
    title = "".join(part.title() for part in name.replace("_", ".").split("."))
    arguments: Any = msgspec.defstruct(
        title,
        fields,
        bases=(Arguments,),
        module=name,
        kw_only=True,
        frozen=True,
        forbid_unknown_fields=True,
    )
    if plain:
        [result] = get_args(result)
    doc = inspect.getdoc(function) or ""
    return Method(name, changes, arguments, result, plain, function, signature, doc)
