"""OpenAPI 3.1 document of the declared endpoints, from the types that validate requests and encode responses.

Descriptions come from the docstrings of the types: the text before `Attributes:` describes the type, and each
attribute its field.
"""

import inspect
import re
from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, cast

import msgspec
from msgspec import Struct

from server.web.api.endpoints import Credentials, Endpoint, RawContent
from server.web.problem_details import PROBLEM_TYPE, Problem

OPENAPI_VERSION = "3.1.1"

_DESCRIPTION = (
    "HTTP interface of the chat for programs. A token (`Authorization: Bearer TOKEN`) acts as its account, and a guest"
    " key of a join (`Authorization: Guest KEY`) as this guest. Problems have the fields `code`, `reason` and `params`,"
    " which the [protocol reference](https://github.com/tui-chat/tui-chat/blob/main/docs/protocol.md#errors) lists."
    " Times are milliseconds since the epoch, and durations are seconds."
)

_TAGS = {
    "rooms": "Rooms and messages",
    "webhooks": "Webhooks",
    "files": "Files of messages",
    "accounts": "Accounts, logins and profiles",
    "documentation": "This documentation",
}

_SECURITY_SCHEMES = {
    "token": {
        "type": "http",
        "scheme": "bearer",
        "description": "Token of an account: of a login, or of `chat-server account add NAME --bot`.",
    },
    "guestKey": {
        "type": "apiKey",
        "in": "header",
        "name": "Authorization",
        "description": "`Guest KEY` with the `guestKey` of a join.",
    },
}

_SECURITY: Mapping[Credentials, list[dict[str, list[str]]]] = {
    "none": [],
    "guest": [{}, {"guestKey": []}],
    "signature": [{}, {"token": []}, {"guestKey": []}],
    "reader": [{}, {"token": []}, {"guestKey": []}],
    "person": [{"token": []}, {"guestKey": []}],
    "account": [{"token": []}],
}

_PROBLEM_DESCRIPTIONS = {
    HTTPStatus.BAD_REQUEST: "A parameter or the body is invalid.",
    HTTPStatus.UNAUTHORIZED: "The credentials are missing or invalid.",
    HTTPStatus.FORBIDDEN: "The person or the origin of the page may not do this.",
    HTTPStatus.NOT_FOUND: "The object does not exist, or is not visible.",
    HTTPStatus.REQUEST_TIMEOUT: "The body is not complete in time.",
    HTTPStatus.CONFLICT: "The request contradicts the current state.",
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: "The body or a text is too long.",
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: "The body has the wrong content type, or is compressed.",
    HTTPStatus.TOO_MANY_REQUESTS: "A rate limit is exceeded.",
    HTTPStatus.SERVICE_UNAVAILABLE: "The server is overloaded, is stopping, or its database failed.",
}

_RATE_HEADERS = {
    "RateLimit-Policy": "Capacity `q` of the rate, and the seconds `w` in which it refills.",
    "RateLimit": "Remaining requests `r`, and the seconds `t` until the rate is full.",
}

_BINARY = {"type": "string", "format": "binary"}
_BASE64 = {"type": "string", "contentEncoding": "base64"}  # of msgspec; bodies contain the bytes themselves


def build_document(endpoints: Iterable[Endpoint], version: str) -> dict[str, Any]:
    """Return the document of endpoints.

    Args:
        endpoints: Endpoints with distinct methods and paths.
        version: Version of the server.
    """
    endpoints = tuple(endpoints)
    types = [Problem, *dict.fromkeys(content_type for endpoint in endpoints for content_type in _list_types(endpoint))]
    references, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    schemas = dict(zip(types, map(_replace_base64, references), strict=True))
    _describe_components(components, types)
    paths: dict[str, dict[str, Any]] = {}
    for endpoint in endpoints:
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _build_operation(endpoint, schemas)
    used_tags = {endpoint.tag for endpoint in endpoints}
    return {
        "openapi": OPENAPI_VERSION,
        "info": {"title": "chat-server", "version": version, "description": _DESCRIPTION},
        "tags": [{"name": name, "description": text} for name, text in _TAGS.items() if name in used_tags],
        "paths": paths,
        "components": {
            "securitySchemes": _SECURITY_SCHEMES,
            "responses": _build_problem_responses(schemas[Problem]),
            "schemas": {name: _replace_base64(schema) for name, schema in components.items()},
        },
    }


def _list_types(endpoint: Endpoint) -> Iterator[Any]:
    """Yield the types of the body and of the response, for a `RawContent` the types of all media types."""
    for content in (endpoint.body, endpoint.response):
        if isinstance(content, RawContent):
            yield from content.types.values()
        elif content is not None:
            yield content


def _build_operation(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the operation object of an endpoint; `schemas` has the schema of each type of a body or response."""
    operation: dict[str, Any] = {
        "operationId": endpoint.name,
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "security": _SECURITY[endpoint.credentials],
    }
    if endpoint.parameters is not None:
        operation["parameters"] = _build_parameters(endpoint, endpoint.parameters)
    if endpoint.body is not None:
        operation["requestBody"] = {"required": True, "content": _build_content(endpoint.body, schemas)}
    operation["responses"] = _build_responses(endpoint, schemas)
    return operation


def _build_parameters(endpoint: Endpoint, parameters: type[Struct]) -> list[dict[str, Any]]:
    """Return the parameter objects of an endpoint, one per field; an undocumented one has an empty description."""
    _, components = msgspec.json.schema_components([parameters])
    descriptions = _read_field_descriptions(parameters)
    schema = components[parameters.__name__]
    return [
        {
            "name": name,
            "in": endpoint.locate_parameter(name),
            "required": name in schema.get("required", ()),
            "description": descriptions.get(name, ""),
            "schema": _drop_null(field_schema),
        }
        for name, field_schema in schema["properties"].items()
    ]


def _build_responses(endpoint: Endpoint, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the responses of an endpoint by status, in ascending order; problems are references."""
    status = HTTPStatus.NO_CONTENT if endpoint.response is None else endpoint.status
    success: dict[str, Any] = {"description": f"{status.phrase}."}
    if endpoint.rate_class is not None:
        success["headers"] = {name: _build_header(text) for name, text in _RATE_HEADERS.items()}
    if endpoint.response is not None:
        success["content"] = _build_content(endpoint.response, schemas)
    responses: dict[int, dict[str, Any]] = {status: success}
    for other in endpoint.other_statuses:
        has_content = other is HTTPStatus.PARTIAL_CONTENT
        responses[other] = (success if has_content else {}) | {"description": f"{other.phrase}."}
    for problem in endpoint.list_problems():
        responses[problem] = {"$ref": f"#/components/responses/{_name_response(problem)}"}
    return {str(int(status)): responses[status] for status in sorted(responses)}


def _build_problem_responses(schema: Any) -> dict[str, Any]:
    """Return the responses of all problem statuses by name, with the given schema as content."""
    responses: dict[str, Any] = {}
    for status, description in _PROBLEM_DESCRIPTIONS.items():
        response = {"description": description, "content": {PROBLEM_TYPE: {"schema": schema}}}
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            response["headers"] = {"Retry-After": _build_header("Seconds until a retry may succeed.", "integer")}
        responses[_name_response(status)] = response
    return responses


def _name_response(status: HTTPStatus) -> str:
    return status.phrase.replace(" ", "")


def _build_content(content: Any, schemas: Mapping[Any, Any]) -> dict[str, Any]:
    """Return the schemas of a body or response by media type; a type other than `RawContent` is JSON."""
    types = content.types if isinstance(content, RawContent) else {"application/json": content}
    return {media_type: {"schema": schemas[content_type]} for media_type, content_type in types.items()}


def _build_header(description: str, schema_type: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": schema_type}}


def _drop_null(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the only alternative to null of a parameter schema, without its default; any other schema unchanged."""
    alternatives = [part for part in schema.get("anyOf", ()) if part != {"type": "null"}]
    if len(alternatives) == 1:
        return alternatives[0]
    return schema


def _replace_base64(schema: Any) -> Any:
    """Return a schema with all Base64 strings of msgspec, at any depth, replaced by binary content."""
    if schema == _BASE64:
        return _BINARY
    if isinstance(schema, dict):
        return {name: _replace_base64(value) for name, value in cast(dict[str, Any], schema).items()}
    if isinstance(schema, list):
        return [_replace_base64(value) for value in cast(list[Any], schema)]
    return schema


def _describe_components(components: dict[str, Any], types: Iterable[Any]) -> None:
    """Describe `components` and their fields by the docstrings of the structs of `types`, and remove the titles."""
    struct_types = {info.cls.__name__: info.cls for info in _find_structs(types)}
    for name, schema in components.items():
        struct_type = struct_types[name]
        schema.pop("title", None)
        schema["description"] = _split_docstring(struct_type)[0]
        properties: dict[str, dict[str, Any]] = schema["properties"]
        for field, text in _read_field_descriptions(struct_type).items():
            if field in properties:
                properties[field] = {**properties[field], "description": text}


def _find_structs(types: Iterable[Any]) -> Iterator[msgspec.inspect.StructType]:
    """Yield the structs of types and of their fields, each once."""
    found = set[type]()
    pending: list[Any] = list(msgspec.inspect.multi_type_info(types))
    while pending:
        info = pending.pop()
        if isinstance(info, msgspec.inspect.StructType) and info.cls not in found:
            found.add(info.cls)
            yield info
            pending += [field.type for field in info.fields]
        elif isinstance(info, msgspec.inspect.UnionType):
            pending += info.types
        elif isinstance(info, msgspec.inspect.ListType):
            pending.append(info.item_type)
        elif isinstance(info, msgspec.inspect.DictType):
            pending.append(info.value_type)
        elif isinstance(info, msgspec.inspect.Metadata):
            pending.append(info.type)


def _read_field_descriptions(struct_type: type[Struct]) -> dict[str, str]:
    """Return the descriptions of the documented fields of a class and its bases, by their names in JSON."""
    descriptions: dict[str, str] = {}
    for base in reversed(struct_type.__mro__):
        descriptions |= _split_docstring(base)[1]
    fields = msgspec.structs.fields(struct_type)
    return {field.encode_name: descriptions[field.name] for field in fields if field.name in descriptions}


def _split_docstring(documented: type) -> tuple[str, dict[str, str]]:
    """Return the docstring before `Attributes:`, and the descriptions of the attributes by name; ignore bases."""
    text, _, attributes = inspect.cleandoc(documented.__dict__.get("__doc__") or "").partition("\n\nAttributes:\n")
    items = re.split(r"^    (\w+): ", attributes.partition("\n\n")[0], flags=re.MULTILINE)[1:]
    return _join_lines(text), {name: _join_lines(item) for name, item in zip(items[::2], items[1::2], strict=True)}


def _join_lines(text: str) -> str:
    """Return a text without line breaks in its paragraphs, and with `absent` for None, because JSON omits None."""
    paragraphs = (" ".join(paragraph.split()) for paragraph in text.split("\n\n"))
    return re.sub(r"\bNone\b", "absent", "\n\n".join(paragraphs))
