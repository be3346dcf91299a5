"""The document of the API: a client can be generated from it without a warning."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import orjson
import pytest
from jsonschema_rs import ValidationError
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from miniprogram_api.handler import rendered
from miniprogram_api.openapi import describe, operation_id
from miniprogram_api.routes import CALLS


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return describe(CALLS)


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for methods in document["paths"].values() for operation in methods.values()]


def test_it_is_valid_openapi(document: dict[str, Any]) -> None:
    OPENAPI_31_VALIDATOR.validate(document)
    with pytest.raises(ValidationError):
        OPENAPI_31_VALIDATOR.validate({**document, "paths": {"classes": {}}})


def test_every_reference_leads_to_a_schema_with_a_plain_name(document: dict[str, Any]) -> None:
    written = orjson.dumps(document).decode()
    referred = set(re.findall(r'"\$ref":"([^"]*)"', written))
    names = document["components"]["schemas"]
    assert referred <= {f"#/components/schemas/{name}" for name in names}
    assert [name for name in names if not re.fullmatch(r"[A-Z][A-Za-z0-9]*", name)] == []
    assert "$defs" not in written and "server." not in written
    assert {"AdmissionsState", "SchemesState", "InvitationsState", "PhonesState"} <= names.keys()


def test_every_call_has_a_name_of_its_own_a_chapter_and_words(document: dict[str, Any]) -> None:
    operations = _operations(document)
    assert len({one["operationId"] for one in operations}) == len(operations)
    told = {tag["name"] for tag in document["tags"]}
    assert all(set(one["tags"]) <= told and one["summary"] for one in operations)
    assert document["servers"]


def test_a_call_is_named_after_its_address() -> None:
    assert operation_id("get", "/api/v1/classes/{class_id}/sessions", pages=True) == "listClassSessions"
    assert operation_id("get", "/api/v1/classes/{class_id}", pages=False) == "getClass"
    assert operation_id("post", "/api/v1/inbox/{message_id}/read", pages=False) == "readInboxMessage"
    assert operation_id("post", "/api/v1/real-name/let-go", pages=False) == "letGoRealName"


def test_a_refusal_names_its_types(document: dict[str, Any]) -> None:
    refused = document["paths"]["/api/v1/check-ins"]["post"]["responses"]["422"]
    schema = refused["content"]["application/problem+json"]["schema"]
    assert {"code-expired", "code-invalid"} <= set(schema["properties"]["type"]["enum"])


def test_what_a_field_means_is_told(document: dict[str, Any]) -> None:
    fields = document["components"]["schemas"]["ClassAnswer"]["properties"]
    assert fields["teachers"]["description"] == "Names of the backbone teachers."


def test_stamps_have_one_precision_and_are_utc() -> None:
    beijing = datetime(2026, 3, 2, 9, 30, tzinfo=timezone(timedelta(hours=8)))
    whole, fine = beijing, datetime(2026, 3, 2, 1, 30, 0, 123456, tzinfo=UTC)
    told = orjson.loads(rendered({"whole": whole, "fine": fine, "day": whole.date()}))
    assert told == {
        "whole": "2026-03-02T01:30:00.000Z",
        "fine": "2026-03-02T01:30:00.123Z",
        "day": "2026-03-02",
    }
