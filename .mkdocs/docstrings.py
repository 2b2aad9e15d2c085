"""Hubbub's classes and docstrings, read for the API reference."""

from __future__ import annotations

import re
from copy import copy
from typing import Any

import griffe

__all__ = ["Docstrings"]

# Docstrings name things as Sphinx does, and the site as Markdown does.
ROLE = re.compile(r":\w+:`~?([^`]+)`")
SERVICE = "hubbub.service.Service"
LINES_MAX = 10_000


class Docstrings(griffe.Extension):
    """Turn roles into code, and the fields of structs into the arguments that they are."""

    def on_object(self, *, obj: griffe.Object, **kwargs: Any) -> None:
        """Rewrite the docstring of whatever has been read."""
        if obj.docstring is not None:
            obj.docstring.value = ROLE.sub(r"`\1`", obj.docstring.value)

    def on_package(self, *, pkg: griffe.Module, **kwargs: Any) -> None:
        """Give each struct its constructor when all of them are known."""
        for cls in classes_of(pkg):
            if "__init__" not in cls.members and is_struct(cls):
                cls.set_member("__init__", constructor(cls))
            for base in cls.mro():
                if SERVICE in [one.path for one in base.mro()]:
                    take_methods(cls, base)


def take_methods(cls: griffe.Class, base: griffe.Class) -> None:
    """Show the methods of a service that are in another class with the service itself."""
    for name, member in base.members.items():
        if isinstance(member, griffe.Function) and name not in cls.members and name[0] != "_":
            taken = copy(member)
            # Members are in the order of their lines: those of the other class come first.
            taken.lineno = (member.lineno or 0) - LINES_MAX
            cls.set_member(name, taken)


def classes_of(within: griffe.Module | griffe.Class) -> list[griffe.Class]:
    found = []
    for member in within.members.values():
        if isinstance(member, griffe.Class):
            found.append(member)
        if isinstance(member, griffe.Module | griffe.Class):
            found += classes_of(member)
    return found


def lineage(cls: griffe.Class) -> list[griffe.Class]:
    """Return the classes of the package that a class is made of, the most general first."""
    return [*reversed(cls.mro()), cls]


def is_struct(cls: griffe.Class) -> bool:
    bases = [base for one in lineage(cls) for base in one.bases]
    return any(getattr(base, "canonical_path", "") == "msgspec.Struct" for base in bases)


def constructor(cls: griffe.Class) -> griffe.Function:
    fields: dict[str, griffe.Parameter] = {}
    for one in lineage(cls):
        for name, member in one.members.items():
            if isinstance(member, griffe.Attribute) and is_field(member):
                fields[name] = griffe.Parameter(
                    name,
                    annotation=member.annotation,
                    kind=griffe.ParameterKind.positional_or_keyword,
                    default=member.value,
                )
    itself = griffe.Parameter("self", kind=griffe.ParameterKind.positional_or_keyword)
    parameters = griffe.Parameters(itself, *fields.values())
    return griffe.Function("__init__", parent=cls, parameters=parameters, lineno=0, endlineno=0)


def is_field(member: griffe.Attribute) -> bool:
    return member.annotation is not None and "instance-attribute" in member.labels
