"""What a request may carry in its address: the parameters that its route declares, each once, and cursors
of its own list.

A name that is mistyped would be a condition that silently does not hold: it is refused, with the names
there are. Rules are told from what routes declare, which is what the API's document is made of too. This
module must not know what any route does.
"""

from __future__ import annotations

import datetime as dt
import difflib
import hashlib
import re
import types
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple, Union, cast, get_args, get_origin
from urllib.parse import parse_qsl, unquote, urlencode

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import ParameterKwarg, PathParameter
from litestar.typing import FieldDefinition

from data.asked import invalid
from data.paging import Page
from data.problems import InvalidRequestError
from data.words import shown
from nautilus_tui.daemon.api.asked import size_asked
from nautilus_tui.daemon.api.parameters import OF_CHANGES, OF_LISTS
from nautilus_tui.daemon.api.roles import CHANGE

_DOCS = "see /api/v1/docs"
_MARK_BYTES = 4
_WHOLE = re.compile(r"-?[0-9]+")
#: Where a route says that it answers with pages, and that it leaves cutting them to others.
LIST, WHOLE_LIST = "list", "whole_list"

type Connection = ASGIConnection[Any, Any, Any, Any]


class Declared(NamedTuple):
    """One parameter of a route."""

    rule: str
    repeated: bool = False  #: may be given several times
    may_be_empty: bool = False
    required: bool = False
    whole: bool = False  #: a whole number, written in digits


async def well_asked(connection: Connection, handler: BaseRouteHandler) -> None:
    """Refuse an address that says what its route does not take; a guard of every route.

    What is handed on are the names in the path as they were meant, and the cursor as its list made it.

    Raises:
        InvalidRequestError: a parameter is unknown, given twice or empty, or a cursor of another list.
    """
    scope = cast("dict[str, Any]", connection.scope)
    given = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    declared = parameters_of(handler) if given else {}
    seen: set[str] = set()
    for name, value in given:
        _check(name, value, declared, seen)
        seen.add(name)
    if handler.opt[WHOLE_LIST]:
        size_asked(dict(given).get("limit"))
    if "cursor" in seen:
        inner = [(name, _inner(value, scope["path"]) if name == "cursor" else value) for name, value in given]
        scope["query_string"] = urlencode(inner).encode()
    scope["path_params"] = {name: unquote(value) for name, value in scope["path_params"].items()}


def _check(name: str, value: str, declared: Mapping[str, Declared], seen: set[str]) -> None:
    one = declared.get(name)
    if one is None:
        near = difflib.get_close_matches(name, declared, n=1)
        raise InvalidRequestError(
            f"there is no parameter {shown(name)!r} here",
            rule=f"the parameters are {', '.join(declared)}" if declared else "this takes no parameters",
            fix=f"did you mean {near[0]}?" if near else f"leave it out; {_DOCS}",
            field=shown(name),
            value=shown(value),
        )
    if name in seen and not one.repeated:
        raise InvalidRequestError(
            f"{name} is given twice",
            rule=f"{name} is given once",
            fix="send one of them",
            field=name,
            value=shown(value),
        )
    if not value.strip() and not one.may_be_empty:
        raise InvalidRequestError(
            f"{name} is empty",
            rule=f"{name} is {one.rule}",
            fix="give a value" if one.required else "give a value, or leave it out",
            field=name,
            value=value[:80],
        )
    if one.whole and not _WHOLE.fullmatch(value):
        raise _unfit(name, value, one)


def unfit(connection: Connection, field: str) -> InvalidRequestError | None:
    """Return why a parameter of a request was not taken; None: the request's route declares no such one."""
    handler: BaseRouteHandler | None = cast("dict[str, Any]", connection.scope).get("route_handler")
    one = None if handler is None else parameters_of(handler).get(field)
    if one is None:
        return None
    values = [value for name, value in connection.query_params.multi_items() if name == field]
    if not values:
        return InvalidRequestError(
            f"{field} is missing", rule=f"{field} is {one.rule}", fix=f"give {field}", field=field
        )
    return _unfit(field, ", ".join(map(str, values)), one)


def _unfit(field: str, value: str, one: Declared) -> InvalidRequestError:
    error = invalid(field, shown(value), f"{field} is {one.rule}")
    error.fix = f"give {field} like that" + ("" if one.required else ", or leave it out")
    return error


# ---------------------------------------------------------------- what is declared


def parameters_of(handler: BaseRouteHandler) -> Mapping[str, Declared]:
    """Return the parameters of a route by their names in an address."""
    found: Mapping[str, Declared] | None = handler.opt.get("parameters")
    if found is None:
        found = handler.opt["parameters"] = _parameters(cast(HTTPRouteHandler, handler))
    return found


def _parameters(handler: HTTPRouteHandler) -> dict[str, Declared]:
    found: dict[str, Declared] = {}
    for name, field in handler.parsed_fn_signature.parameters.items():
        how = field.kwarg_definition
        if isinstance(how, ParameterKwarg) and not isinstance(how, PathParameter):
            found[getattr(how, "name", None) or name] = _declared(field, how)
    for more in (*(OF_LISTS if handler.opt[LIST] else ()), *(OF_CHANGES if handler.opt[CHANGE] else ())):
        if more["in"] == "query":
            found.setdefault(more["name"], Declared(_rule_of(more["schema"])))
    return found


def _rule_of(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return f"one of {', '.join(schema['enum'])}"
    how = ParameterKwarg(
        ge=schema.get("minimum"), gt=schema.get("exclusiveMinimum"), le=schema.get("maximum")
    )
    return _rule({"integer": int, "number": float, "string": str}[schema["type"]], how)


def _declared(field: FieldDefinition, how: ParameterKwarg) -> Declared:
    kinds = [kind for kind in _members(field.annotation) if kind is not types.NoneType]
    repeated = get_origin(kinds[0]) is list
    kind = get_args(kinds[0])[0] if repeated else kinds[0]
    return Declared(
        rule=_rule(kind, how),
        repeated=repeated,
        may_be_empty=field.default == "",
        required=not field.has_default,
        whole=kind is int,
    )


def _members(annotation: Any) -> tuple[Any, ...]:
    annotation = getattr(annotation, "__value__", annotation)
    return get_args(annotation) if get_origin(annotation) in (Union, types.UnionType) else (annotation,)


def _rule(kind: Any, how: ParameterKwarg) -> str:
    """Return what a value has to be, in words."""
    kind = getattr(kind, "__value__", kind)
    if get_origin(kind) is Literal:
        return f"one of {', '.join(map(str, get_args(kind)))}"
    if kind is bool:
        return "true or false"
    if kind is dt.date:
        return "a date, YYYY-MM-DD"
    if kind in (int, float):
        return ("a whole number" if kind is int else "a number") + _bounds(how)
    about = f" ({how.description})" if how.description else ""
    return f"a text{about}" if how.pattern is None else f"a text that matches {how.pattern}{about}"


def _bounds(how: ParameterKwarg) -> str:
    low = f" from {how.ge:g}" if how.ge is not None else f" above {how.gt:g}" if how.gt is not None else ""
    high = f" to {how.le:g}" if how.le is not None else f" below {how.lt:g}" if how.lt is not None else ""
    return f"{low}{high}"


# ---------------------------------------------------------------- cursors


def marked[T](connection: Connection, page: Page[T]) -> Page[T]:
    """Return a page whose cursor leads on in this list only."""
    return Page(page.items, None if page.next is None else f"{_mark(connection.scope['path'])}.{page.next}")


def _inner(cursor: str, path: str) -> str:
    mark, _, inner = cursor.partition(".")
    if mark != _mark(path) or not inner:
        raise InvalidRequestError(
            f"cursor {shown(cursor)!r} is not a cursor of this list",
            rule="a cursor is the `next` of the page before, of the same path",
            fix="leave cursor out to begin anew",
            field="cursor",
            value=shown(cursor),
        )
    return inner


def _mark(path: str) -> str:
    return hashlib.blake2b(path.encode(), digest_size=_MARK_BYTES).hexdigest()
