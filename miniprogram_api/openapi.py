"""`/api/v1/openapi.json`: OpenAPI 3.1, made from what each method declares with `operation`."""

from __future__ import annotations

import inspect
import re
import sys
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import DefsRef, GenerateJsonSchema, models_json_schema

from miniprogram_api.handler import ApiHandler, Body, Multipart, Operation, operation
from server.kernel import errors
from server.kernel.errors import Problem
from server.kernel.permissions import Permission
from server.kernel.web import HTTP_METHODS, Access, Route, access_of

_PATH_PARAMETER = re.compile(r"\(\?P<(\w+)>((?:[^()\\]|\\.)*)\)")
_REF = "#/components/schemas/{model}"
_SAYS_NOTHING = frozenset({"server", "kernel", "documents", "rules", "service"})
_VERBS = frozenset(
    "login let-go read withdraw accept decline review confirm dispute void open release".split()
)
"""Last parts of an address that say what is done."""

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string", "description": "stable: a client decides by it"},
        "title": {"type": "string", "description": "short, in Chinese"},
        "status": {"type": "integer"},
        "detail": {"type": "string", "description": "what to do, in Chinese"},
        "instance": {"type": "string", "description": "the request id, which the log has too"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "message"],
                "properties": {"place": {"type": "string"}, "message": {"type": "string"}},
            },
            "description": "what is wrong with each field, in Chinese",
        },
        "retry_after": {"type": "integer", "description": "seconds, of too-many-requests and unavailable"},
        "level": {"type": "integer", "description": "of puzzle-needed: how hard the puzzle has to be"},
    },
}


def describe(routes: list[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes. Path parameters are named groups of the route's pattern."""
    operations = [
        (route[0], method, route[1], access, getattr(route[1], method).operation)
        for route in routes
        for method in HTTP_METHODS
        if (access := access_of(route[1], method)) is not None
    ]
    given = [described for *_, described in operations]
    queries = {described.query for described in given if described.query is not None}
    schemas = Schemas({model for described in given for model in _models(described)}, queries)
    paths: dict[str, Any] = {}
    tags: dict[str, str] = {}
    for pattern, method, handler, access, described in operations:
        path = _PATH_PARAMETER.sub(r"{\1}", pattern)
        chapter = handler.__module__.rpartition(".")[2]
        tags.setdefault(chapter, (sys.modules[handler.__module__].__doc__ or chapter).partition("\n")[0])
        paths.setdefault(path, {})[method] = {
            "operationId": operation_id(method, path, described.pages),
            "tags": [chapter],
            **_operation(pattern, access, described, schemas),
            **_described(handler, method),
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "技工院校工学一体化教师培训管理服务平台",
            "version": "1",
            "description": "Times are RFC 3339 in UTC with milliseconds; days are those of Asia/Shanghai.",
        },
        "servers": [{"url": "/", "description": "the server that hands out this document"}],
        "tags": [{"name": name, "description": told} for name, told in tags.items()],
        "paths": paths,
        "components": {
            "schemas": {**schemas.components, "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {"phone": {"type": "http", "scheme": "bearer"}},
        },
    }


class Names(GenerateJsonSchema):
    """Each schema has one short name that no other model can take from it later, and that leaks no module."""

    def get_defs_ref(self, core_mode_ref: Any) -> DefsRef:
        found = super().get_defs_ref(core_mode_ref)
        name = "".join(
            _schema_name(part.rsplit(":", 1)[0]) for part in re.split(r"[\][,]", core_mode_ref[0]) if part
        )
        choices = self._prioritized_defsref_choices[found]
        mode = "Given" if core_mode_ref[1] == "validation" else "Told"
        choices[:] = [DefsRef(name), DefsRef(f"{name}{mode}"), *choices[4:]]
        return found


def _schema_name(qualified: str) -> str:
    """A chapter's State is AdmissionsState; words of more than one part say enough on their own."""
    module, _, name = qualified.rpartition(".")
    if name == "Page":
        return "PageOf"
    if not module.startswith("server.") or re.search(r"[a-z][A-Z]", name):
        return name
    said = [part for part in module.split(".") if part not in _SAYS_NOTHING]
    return "".join(word.capitalize() for word in said[-1].split("_")) + name


class Schemas:
    """The schemas of all models of the document, and how to point to one."""

    def __init__(self, models: set[type[BaseModel]], queries: set[type[BaseModel]]) -> None:
        wanted: list[tuple[type[BaseModel], Any]] = [(model, _mode(model)) for model in models]
        wanted += [(query, "validation") for query in queries - models]
        refs, found = models_json_schema(
            sorted(wanted, key=lambda pair: (pair[0].__name__, pair[0].__module__)),
            ref_template=_REF,
            schema_generator=Names,
        )
        by_model: dict[Any, dict[str, Any]] = {model: schema for (model, _), schema in refs.items()}
        self._by_model = by_model
        self.components: dict[str, Any] = found.get("$defs", {})
        self._queries: dict[Any, dict[str, Any]] = {
            query: self.components[self._name(query)] for query in queries
        }
        for query in queries - models:  # told as parameters
            del self.components[self._name(query)]

    def of(self, model: type[BaseModel]) -> dict[str, Any]:
        return self._by_model[model]

    def of_query(self, query: type[BaseModel]) -> dict[str, Any]:
        return self._queries[query]

    def _name(self, model: type[BaseModel]) -> str:
        return str(self._by_model[model]["$ref"]).rpartition("/")[2]


def _models(described: Operation) -> list[type[BaseModel]]:
    given = [*described.bodies, *described.answers.values()]
    return [model for model in given if isinstance(model, type)]


def _mode(model: type[BaseModel]) -> Any:
    return "validation" if model.__name__.endswith(("Request", "RealName")) else "serialization"


def _described(handler: type[Any], method: str) -> dict[str, str]:
    told = getattr(handler, method).__doc__ or handler.__doc__
    return {"description": inspect.cleandoc(told)} if told else {}


def operation_id(method: str, path: str, pages: bool) -> str:
    """`listClassSessions` for GET /classes/{class_id}/sessions: read off the address, so that it stays while the code moves."""
    words: list[str] = []
    last = ""
    for part in path.removeprefix("/api/v1/").split("/"):
        if part.startswith("{"):
            one, stem = _singular(last), part.strip("{}").removesuffix("_id").replace("_", "-")
            words[-1:] = [one] if one in (stem, last + stem) or one != last else [one, stem]
        else:
            words.append(part)
        last = part
    if method == "post" and last in _VERBS:
        verb, words = last, words[:-1]
    elif method == "post":
        verb = "create" if _singular(last) != last else "submit"
        words[-1] = _singular(last) if last == words[-1] else words[-1]
    else:
        verb = {"get": "list" if pages else "get", "put": "set", "delete": "delete"}[method]
    first, *rest = [piece for word in (verb, *words) for piece in word.split("-")]
    return first + "".join(piece.capitalize() for piece in rest)


def _singular(word: str) -> str:
    for ending, one in (("ies", "y"), ("sses", "ss"), ("ss", "ss"), ("s", "")):
        if word.endswith(ending):
            return word.removesuffix(ending) + one
    return word


def _operation(pattern: str, access: Access, described: Operation, schemas: Schemas) -> dict[str, Any]:
    document: dict[str, Any] = {
        "summary": described.summary,
        "parameters": [*_path_parameters(pattern), *_query_parameters(described.query, schemas)],
        "responses": {
            **{str(status): _answer(answer, schemas) for status, answer in described.answers.items()},
            **_refusals(pattern, access, described),
        },
    }
    if described.bodies:
        taken = [_body(one, schemas) for one in described.bodies]
        content = {media: {"schema": schema} for media, schema in taken}
        document["requestBody"] = {"required": True, "content": content}
    if access.permission is not Permission.ANYONE:
        document["security"] = [{"phone": []}]
    return document


def _body(body: Body, schemas: Schemas) -> tuple[str, dict[str, Any]]:
    """Media type and schema."""
    match body:
        case str():
            return body, {"type": "object"}
        case Multipart():
            return "multipart/form-data", body.schema
        case _:
            return "application/json", schemas.of(body)


def _path_parameters(pattern: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "pattern": f"^{expression}$"},
        }
        for name, expression in _PATH_PARAMETER.findall(pattern)
    ]


def _query_parameters(query: type[BaseModel] | None, schemas: Schemas) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = schemas.of_query(query)
    return [
        {
            "name": name,
            "in": "query",
            "required": name in schema.get("required", []),
            "schema": {key: value for key, value in details.items() if key != "description"},
            **({"description": details["description"]} if "description" in details else {}),
        }
        for name, details in schema["properties"].items()
    ]


def _answer(answer: type[BaseModel] | str | None, schemas: Schemas) -> dict[str, Any]:
    if answer is None:
        return {"description": "done"}
    if isinstance(answer, str):
        return {
            "description": "a file",
            "content": {answer: {"schema": {"type": "string", "format": "binary"}}},
        }
    schema = schemas.of(answer)
    name = schema["$ref"].rpartition("/")[2]
    return {"description": name, "content": {"application/json": {"schema": schema}}}


def _refusals(pattern: str, access: Access, described: Operation) -> dict[str, Any]:
    usual: list[type[Problem]] = [errors.BadRequest, errors.Unavailable]
    if access.permission is not Permission.ANYONE:
        usual += [errors.NotSignedIn, errors.Forbidden]
        if access.permission is not Permission.PHONE:
            usual.append(errors.RealNameFirst)
    if _PATH_PARAMETER.search(pattern):
        usual.append(errors.NotFound)
    if described.body is not None:
        usual += [errors.Invalid, errors.UnsupportedMediaType, errors.TooLarge]
    if described.query is not None:
        usual.append(errors.Invalid)
    if access.rate:
        usual.append(errors.TooManyRequests)
    by_status: dict[int, dict[str, str]] = {}
    for problem in (*usual, *described.problems):
        by_status.setdefault(problem.status, {})[problem.slug] = problem.title
    return {str(status): _refusal(titles) for status, titles in sorted(by_status.items())}


def _refusal(titles: dict[str, str]) -> dict[str, Any]:
    """`titles` by type: which of the types of this status the call may answer."""
    schema = {
        "allOf": [{"$ref": _REF.format(model="Problem")}],
        "type": "object",
        "properties": {"type": {"type": "string", "enum": list(titles)}},
    }
    return {
        "description": "; ".join(f"{slug}: {title}" for slug, title in titles.items()),
        "content": {"application/problem+json": {"schema": schema}},
    }


@lru_cache(maxsize=1)
def _rendered(routes: tuple[Route, ...]) -> bytes:
    return orjson.dumps(describe(list(routes)))


class Description(ApiHandler):
    def initialize(self, route: str = "", **given: Any) -> None:
        """`routes`: those that it describes."""
        super().initialize(route)
        self._routes: list[Route] = given["routes"]

    @operation(Permission.ANYONE, summary="This document", answers={200: "application/json"})
    async def get(self) -> None:
        self.set_header("Content-Type", "application/json; charset=utf-8")
        self.finish(_rendered(tuple(self._routes)))


def main() -> None:
    """Writes the document without a server: `python -m miniprogram_api.openapi > openapi.json`."""
    from miniprogram_api.routes import CALLS

    options = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE
    sys.stdout.buffer.write(orjson.dumps(describe(CALLS), option=options))


if __name__ == "__main__":
    main()
