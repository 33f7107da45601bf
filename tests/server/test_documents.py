from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import msgspec
import pytest

from server.api import documents
from server.api.asyncapi import asyncapi
from server.api.fields import descriptions
from server.api.openapi import openapi
from server.api.protocol_example import CONVERSATION
from server.api.protocol_page import protocol_page
from server.api.routes import OPERATIONS
from server.protocol import ClientMessage, CloseCode, SeatCard, ServerMessage, SessionView


def references(document: Any) -> Iterator[str]:
    match document:
        case {"$ref": str(reference)}:
            yield reference
        case dict():
            for value in document.values():
                yield from references(value)
        case list():
            for value in document:
                yield from references(value)


def find(document: dict[str, Any], reference: str) -> Any:
    assert reference.startswith("#/")
    found: Any = document
    for name in reference[2:].split("/"):
        found = found[name.replace("~1", "/").replace("~0", "~")]
    return found


@pytest.mark.parametrize("document", [openapi(OPERATIONS), asyncapi()], ids=["openapi", "asyncapi"])
def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    found = set(references(document))
    assert found
    for reference in found:
        assert find(document, reference) is not None


def test_openapi_names_each_operation_once_and_all_its_parameters() -> None:
    document = openapi(OPERATIONS)
    assert document["openapi"].startswith("3.1")
    operations = [op for path in document["paths"].values() for op in path.values()]
    ids = [op["operationId"] for op in operations]
    assert len(ids) == len(set(ids)) == len(OPERATIONS)
    for path, methods in document["paths"].items():
        for operation in methods.values():
            named = {p["name"] for p in operation["parameters"] if p["in"] == "path"}
            assert named == set(re.findall(r"{(\w+)}", path))
            for status, response in operation["responses"].items():
                assert response["description"]
                if int(status) >= 400:
                    assert list(response["content"]) == ["application/problem+json"]


def test_no_schema_of_the_api_says_null_for_a_query_parameter() -> None:
    parameters = [
        parameter
        for path in openapi(OPERATIONS)["paths"].values()
        for operation in path.values()
        for parameter in operation["parameters"]
    ]
    assert parameters
    assert "null" not in repr([parameter["schema"] for parameter in parameters])


def test_asyncapi_has_every_message_of_both_directions() -> None:
    document = asyncapi()
    assert document["asyncapi"].startswith("3.")
    tags = {member.__struct_config__.tag for member in get_args(ClientMessage | ServerMessage)}
    assert set(document["channels"]["gateway"]["messages"]) == tags
    received = {
        reference["$ref"].rsplit("/", 1)[1]
        for operation in document["operations"].values()
        if operation["action"] == "receive"
        for reference in operation["messages"]
    }
    assert received == {member.__struct_config__.tag for member in get_args(ClientMessage)}
    assert "propertyName" not in repr(document), "AsyncAPI's discriminator is a string"


def test_the_words_below_a_field_are_found() -> None:
    assert descriptions(CloseCode)["DRAINING"].startswith("This gateway shuts down")
    assert descriptions(SessionView)["turn"] == "Number of the current turn; an `act` names it."
    assert "seat" not in descriptions(SeatCard)


def test_the_page_explains_every_message_close_code_and_struct() -> None:
    page = protocol_page()
    for member in get_args(ClientMessage | ServerMessage):
        assert f"### `{member.__struct_config__.tag}`" in page
    for code in CloseCode:
        assert f"| {code.value} | `{code.name}` |" in page
    sections = set(re.findall(r"^#+ `?([\w ,]+)`?", page, re.MULTILINE))
    anchors = {title.lower().replace(" ", "-").replace(",", "") for title in sections}
    for anchor in re.findall(r"\]\(#([\w-]+)\)", page):
        assert anchor in anchors, anchor


def test_the_example_is_a_conversation_that_the_types_allow() -> None:
    for _, message in CONVERSATION:
        union: Any = (
            ClientMessage if isinstance(message, get_args(ClientMessage)) else ServerMessage
        )
        assert msgspec.json.decode(msgspec.json.encode(message), type=union) == message


def test_a_stale_document_is_named_and_made_anew(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert documents.main(["--write"], tmp_path) == 0
    assert documents.main(["--check"], tmp_path) == 0
    capsys.readouterr()
    (tmp_path / "protocol.md").write_text("old")
    (tmp_path / "openapi.json").unlink()
    assert documents.main(["--check"], tmp_path) == 1
    told = capsys.readouterr().err
    assert "docs/protocol.md is stale" in told
    assert "docs/openapi.json is stale" in told
    assert "asyncapi" not in told
    assert documents.main(["--write"], tmp_path) == 0
    assert documents.stale(tmp_path) == []


def test_outside_a_checkout_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert documents.main(["--check"], tmp_path / "nowhere") == 1
    assert "run this in a checkout" in capsys.readouterr().err


def test_the_committed_documents_are_up_to_date() -> None:
    assert documents.stale() == [], "run `make docs` and commit the result"
