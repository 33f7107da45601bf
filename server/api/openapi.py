"""The OpenAPI 3.1 document, made from the table of operations and the Structs they name. Pure."""

from __future__ import annotations

import http
import re
from collections.abc import Sequence
from typing import Any, get_args

import msgspec

from server.api.fields import descriptions, schemas
from server.api.idempotent import MAX_KEY
from server.api.operation import MAX_BODY_BYTES, Operation
from server.api.problems import MEDIA_TYPE, ProblemDocument

VERSION = "1"
_TEMPLATE = "#/components/schemas/{name}"
_PATH_PARAMETERS = {
    "address": "A wallet, or a judge: 0x and 40 hex digits.",
    "epoch": "An epoch's number, or `latest`.",
    "cid": "A content id (CIDv1, raw).",
    "operator": "An operator's address, as EIP-55 writes it.",
    "batch": "A batch's number, as the contract counts an operator's.",
    "session": "A session's id.",
    "account": "An account's id.",
    "agent": "An agent's id.",
    "job": "A training's id.",
    "gate": "A gate's id.",
    "key": "A key's id.",
    "login": "A login's id.",
    "tournament": "A tournament's id.",
    "space": "A Space's id, e.g. `rap-battle`.",
    "token": "What stands in a share link.",
    "season": "A season's number, e.g. `1`.",
}
_EVERYWHERE = {
    500: "the arena failed; the failure is in its log",
    503: "a backing service does not answer; see Retry-After",
}
_OF_BODIES = {408: "the body did not come whole within ten seconds"}
_IF_MATCH = {
    "name": "If-Match",
    "in": "header",
    "required": False,
    "description": "The entity tag that was seen: a revision. An edit of what was changed since is refused.",
    "schema": {"type": "string", "maxLength": 32},
}
_OF_CREDENTIALS = {
    401: "there is no login or key, or it is unknown, expired or revoked",
    403: "the login or key has not the scope (`insufficient-scope`)",
}
_OF_IDEMPOTENCY = {
    409: "a request with this Idempotency-Key is being answered (`in-progress`)",
    422: "the Idempotency-Key was used for another request (`idempotency-mismatch`)",
}
_IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same request with the same key, of at most 128 printable characters, is done once.",
    "schema": {"type": "string", "minLength": 1, "maxLength": MAX_KEY},
}
_ABOUT = f"""Ask the arena what one may know without a connection to its gateway.

Every answer from status 400 up is `{MEDIA_TYPE}` (RFC 9457) with a `code` for programs. Bodies hold at
most {MAX_BODY_BYTES // 1024} KiB where nothing else is said; unknown fields and parameters are refused. Times are unix milliseconds, ratings
thousandths, money integer micro-USDC. Requests cost credits; whoever is out of them is told by 429 when to come
back. Who may do what, what requests cost and what an `Idempotency-Key` does: `docs/api.md`."""


def openapi(operations: Sequence[Operation]) -> dict[str, Any]:
    """The document for `operations`."""
    types = [op.answer for op in operations if _is_struct(op.answer)]
    types += [part for op in operations if op.body is not None for part in _parts(op.body)]
    _, components = schemas([*dict.fromkeys(types), ProblemDocument], _TEMPLATE)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Agon HTTP API",
            "version": VERSION,
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "bearer": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A login, the key of an account, or the key of an agent.",
                }
            },
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    document: dict[str, Any] = {
        "operationId": operation.id,
        "summary": operation.summary,
        "tags": [operation.tag],
        "parameters": [
            *_path_parameters(operation.path),
            *_query_parameters(operation.query),
            *([_IF_MATCH] if operation.if_match else []),
            *([_IDEMPOTENCY_KEY] if operation.idempotent else []),
        ],
        "responses": _responses(operation),
        "x-credits": operation.credits,
    }
    if operation.body is not None:
        document["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(operation.body)}},
        }
    elif operation.takes:
        picture = {"schema": {"type": "string", "format": "binary"}}
        document["requestBody"] = {
            "required": True,
            "content": dict.fromkeys(operation.takes, picture),
        }
    if operation.scopes:
        document["security"] = [{"bearer": []}]
        document["description"] = f"Needs the scope {_either(operation.scopes)}."
    elif operation.bearer:
        document["security"] = [{}, {"bearer": []}]
    return document


def _responses(operation: Operation) -> dict[str, Any]:
    schema = _ref(operation.answer) if _is_struct(operation.answer) else {}
    answer: dict[str, Any] = {"description": http.HTTPStatus(operation.status).phrase}
    if operation.status != http.HTTPStatus.NO_CONTENT:
        answer["content"] = {operation.media_type: {"schema": schema}}
    responses: dict[str, Any] = {str(operation.status): answer}
    for status, words in sorted(_problems(operation).items()):
        responses[str(status)] = {
            "description": words,
            "content": {MEDIA_TYPE: {"schema": _ref(ProblemDocument)}},
        }
    return responses


def _problems(operation: Operation) -> dict[int, str]:
    """Status -> when; what its row says goes before what is said of all alike."""
    found = dict(_EVERYWHERE)
    if operation.body is not None:
        found |= _OF_BODIES | {400: "the body is not understood"}
    if operation.body is not None or operation.takes:
        taken = " or ".join(operation.takes or ("application/json",))
        found |= _OF_BODIES | {
            413: f"the body is larger than {operation.max_body_bytes // 1024} KiB",
            415: f"the body is not {taken}",
        }
    if operation.if_match:
        found |= {
            400: found.get(400, "If-Match is not understood"),
            409: "it was changed meanwhile",
        }
    if operation.scopes:
        found |= _OF_CREDENTIALS
    if operation.credits:
        found[429] = "out of credits; see Retry-After"
    found |= operation.problems
    for status, words in (_OF_IDEMPOTENCY if operation.idempotent else {}).items():
        found[status] = f"{found[status]}; or {words}" if status in found else words
    return found


def _either(scopes: Sequence[str]) -> str:
    return " or ".join(f"`{scope}`" for scope in scopes)


def _path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "description": _PATH_PARAMETERS[name],
            "schema": {"type": "string", "maxLength": 64},
        }
        for name in re.findall(r"{(\w+)}", path)
    ]


def _query_parameters(query: type[msgspec.Struct] | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    words = descriptions(query)
    _, components = msgspec.json.schema_components([query], ref_template=_TEMPLATE)
    properties = components[query.__name__]["properties"]
    required = components[query.__name__].get("required", [])
    return [
        {
            "name": name,
            "in": "query",
            "required": name in required,
            "description": words.get(name, ""),
            "schema": _without_null(schema),
        }
        for name, schema in properties.items()
    ]


def _without_null(schema: dict[str, Any]) -> dict[str, Any]:
    """A query parameter is left out rather than null."""
    kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
    if len(kinds) == 1:
        return dict(kinds[0])
    if None in schema.get("enum", []):
        return {"enum": [value for value in schema["enum"] if value is not None]}
    return schema


def _parts(type_: Any) -> tuple[Any, ...]:
    """The Structs of a tagged union; a Struct itself."""
    return get_args(type_) or (type_,)


def _ref(type_: Any) -> dict[str, Any]:
    found = [{"$ref": _TEMPLATE.format(name=part.__name__)} for part in _parts(type_)]
    return found[0] if len(found) == 1 else {"oneOf": found}


def _is_struct(type_: Any) -> bool:
    return isinstance(type_, type) and issubclass(type_, msgspec.Struct)
