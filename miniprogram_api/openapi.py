"""`/api/v1/openapi.json`: OpenAPI 3.1, made from what each method declares with `operation`."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import orjson
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from miniprogram_api.handler import ApiHandler, Multipart, Operation, operation
from server.kernel import errors
from server.kernel.errors import Problem
from server.kernel.permissions import Permission
from server.kernel.web import HTTP_METHODS, Access, Route, access_of

_PATH_PARAMETER = re.compile(r"\(\?P<(\w+)>((?:[^()\\]|\\.)*)\)")
_REF = "#/components/schemas/{model}"

PROBLEM_SCHEMA = {
    "type": "object",
    "description": "RFC 9457 problem details",
    "required": ["type", "title", "status", "detail", "instance"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "the request id, which the log has too"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["place", "message"],
                "properties": {"place": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
}


def describe(routes: list[Route]) -> dict[str, Any]:
    """The OpenAPI document of these routes. Path parameters are named groups of the route's pattern."""
    operations = [
        (route[0], method, access, getattr(route[1], method).operation)
        for route in routes
        for method in HTTP_METHODS
        if (access := access_of(route[1], method)) is not None
    ]
    models = {model for *_, described in operations for model in _models(described)}
    refs, schemas = models_json_schema(
        sorted(((model, _mode(model)) for model in models), key=lambda pair: pair[0].__name__),
        ref_template=_REF,
    )
    by_model: dict[Any, Any] = {model: schema for (model, _), schema in refs.items()}
    paths: dict[str, Any] = {}
    for pattern, method, access, described in operations:
        path = _PATH_PARAMETER.sub(r"{\1}", pattern)
        paths.setdefault(path, {})[method] = _operation(pattern, access, described, by_model)
    return {
        "openapi": "3.1.0",
        "info": {"title": "技工院校工学一体化教师培训管理服务平台", "version": "1"},
        "paths": paths,
        "components": {
            "schemas": {**schemas.get("$defs", {}), "Problem": PROBLEM_SCHEMA},
            "securitySchemes": {"phone": {"type": "http", "scheme": "bearer"}},
        },
    }


def _models(described: Operation) -> list[type[BaseModel]]:
    given = [described.body, described.query, *described.answers.values()]
    return [model for model in given if isinstance(model, type)]


def _mode(model: type[BaseModel]) -> Any:
    return (
        "validation"
        if model.__name__.endswith(("Request", "RealName", "Query", "Paging"))
        else "serialization"
    )


def _operation(
    pattern: str, access: Access, described: Operation, by_model: dict[type[BaseModel], Any]
) -> dict[str, Any]:
    document: dict[str, Any] = {
        "summary": described.summary,
        "parameters": [*_path_parameters(pattern), *_query_parameters(described.query)],
        "responses": {
            **{str(status): _answer(answer, by_model) for status, answer in described.answers.items()},
            **_refusals(pattern, access, described),
        },
    }
    if described.body is not None:
        media, schema = _body(described.body, by_model)
        document["requestBody"] = {"required": True, "content": {media: {"schema": schema}}}
    if access.permission is not Permission.ANYONE:
        document["security"] = [{"phone": []}]
    return document


def _body(
    body: type[BaseModel] | Multipart | str, by_model: dict[type[BaseModel], Any]
) -> tuple[str, dict[str, Any]]:
    """Media type and schema."""
    match body:
        case str():
            return body, {"type": "object"}
        case Multipart():
            return "multipart/form-data", body.schema
        case _:
            return "application/json", by_model[body]


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


def _query_parameters(query: type[BaseModel] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema()
    return [
        {"name": name, "in": "query", "required": name in schema.get("required", []), "schema": details}
        for name, details in schema["properties"].items()
    ]


def _answer(answer: type[BaseModel] | str | None, by_model: dict[type[BaseModel], Any]) -> dict[str, Any]:
    if answer is None:
        return {"description": "done"}
    if isinstance(answer, str):
        return {
            "description": "a file",
            "content": {answer: {"schema": {"type": "string", "format": "binary"}}},
        }
    return {"description": answer.__name__, "content": {"application/json": {"schema": by_model[answer]}}}


def _refusals(pattern: str, access: Access, described: Operation) -> dict[str, Any]:
    usual: list[type[Problem]] = [errors.BadRequest, errors.Unavailable]
    if access.permission is not Permission.ANYONE:
        usual += [errors.NotSignedIn, errors.Forbidden]
    if _PATH_PARAMETER.search(pattern):
        usual.append(errors.NotFound)
    if described.body is not None:
        usual += [errors.Invalid, errors.UnsupportedMediaType, errors.TooLarge]
    if described.query is not None:
        usual.append(errors.Invalid)
    if access.rate:
        usual.append(errors.TooManyRequests)
    by_status: dict[int, list[str]] = {}
    for problem in (*usual, *described.problems):
        by_status.setdefault(problem.status, []).append(problem.slug)
    content = {"application/problem+json": {"schema": {"$ref": _REF.format(model="Problem")}}}
    return {
        str(status): {"description": ", ".join(dict.fromkeys(slugs)), "content": content}
        for status, slugs in sorted(by_status.items())
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
