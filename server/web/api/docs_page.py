"""Page of an OpenAPI document: one HTML file with its style, without scripts."""

import hashlib
import re
from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any

_STYLE = """
:root { color-scheme: light dark; --text: #1c2128; --muted: #59636e; --line: #d1d9e0; --back: #fff; --soft: #f6f8fa;
  --link: #0757ba; --get: #116329; --post: #0757ba; --patch: #7d4e00; --delete: #b31d28; }
@media (prefers-color-scheme: dark) { :root { --text: #e6edf3; --muted: #9da7b3; --line: #3d444d; --back: #0f1318;
  --soft: #181d24; --link: #79b8ff; --get: #6fdd8b; --post: #79b8ff; --patch: #f0b849; --delete: #ff9492; } }
* { box-sizing: border-box; }
html { scroll-padding-top: 1rem; }
body { margin: 0; background: var(--back); color: var(--text); font: 16px/1.55 system-ui, sans-serif; }
a { color: var(--link); }
code, pre, .path { font-family: ui-monospace, "SF Mono", Consolas, "DejaVu Sans Mono", monospace; font-size: 0.875em; }
.layout { display: grid; grid-template-columns: 19rem minmax(0, 1fr); max-width: 82rem; margin: 0 auto; }
nav { position: sticky; top: 0; align-self: start; height: 100vh; overflow-y: auto; padding: 1.5rem 1rem 2rem 1.5rem;
  border-right: 1px solid var(--line); font-size: 0.875rem; }
nav h2 { margin: 1.25rem 0 0.25rem; font-size: 0.75rem; text-transform: uppercase; letter-spacing: 0.04em;
  color: var(--muted); }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li a { display: block; padding: 0.2rem 0; color: var(--text); text-decoration: none; overflow-wrap: anywhere; }
nav li a:hover { text-decoration: underline; }
main { padding: 1.5rem 2.5rem 4rem; min-width: 0; }
h1 { margin: 0 0 0.5rem; font-size: 1.75rem; }
h1 small { font-size: 0.875rem; font-weight: 400; color: var(--muted); }
main h2 { margin: 3rem 0 1rem; padding-bottom: 0.35rem; border-bottom: 1px solid var(--line); font-size: 1.35rem; }
article { margin: 0 0 2rem; padding: 1rem 1.25rem 1.25rem; border: 1px solid var(--line); border-radius: 8px; }
article h3 { margin: 0; font-size: 1rem; font-weight: 600; }
article h4 { margin: 1.25rem 0 0.35rem; font-size: 0.875rem; }
.path { overflow-wrap: anywhere; font-size: 1rem; }
.method { display: inline-block; min-width: 4.2em; margin-right: 0.4rem; font-size: 0.75em; font-weight: 700; }
.GET { color: var(--get); } .POST { color: var(--post); } .PATCH { color: var(--patch); }
.DELETE { color: var(--delete); }
.note { margin: 0.25rem 0; color: var(--muted); }
.scroll { overflow-x: auto; }
table { width: 100%; border-collapse: collapse; font-size: 0.9rem; }
th { text-align: left; font-weight: 600; color: var(--muted); }
th, td { padding: 0.35rem 0.75rem 0.35rem 0; border-bottom: 1px solid var(--line); vertical-align: top; }
td:first-child { white-space: nowrap; }
pre { margin: 0; padding: 0.75rem 1rem; overflow-x: auto; background: var(--soft); border-radius: 6px; }
@media (max-width: 52rem) { .layout { display: block; } main { padding: 1rem; }
  nav { position: static; height: auto; border: 0; padding: 1rem 1rem 0; } td:first-child { white-space: normal; } }
"""

STYLE_SOURCE = f"'sha256-{b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()}'"
"""Source of the style in the policy of the page (W3C Content Security Policy Level 3)."""

_LINK = re.compile(r"\[([^]]+)\]\((https://[^)]+)\)")
_CODE = re.compile(r"`([^`]+)`")
_EXAMPLES = {"name": "tea"}


def render_page(document: Mapping[str, Any]) -> str:
    """Return the page of an OpenAPI document of this server."""
    info = document["info"]
    operations = [
        (method.upper(), path, operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    groups = [
        (tag, [operation for operation in operations if operation[2]["tags"] == [tag["name"]]])
        for tag in document["tags"]
    ]
    schemas = document["components"]["schemas"]
    navigation = "".join(
        f"<h2>{escape(tag['description'])}</h2><ul>{''.join(map(_render_entry, group))}</ul>" for tag, group in groups
    )
    problems = (
        (escape(name), _render_content(response), _render_text(response["description"]))
        for name, response in document["components"]["responses"].items()
    )
    sections = "".join(
        f'<section><h2 id="tag-{escape(tag["name"])}">{escape(tag["description"])}</h2>'
        f"{''.join(_render_operation(*operation) for operation in group)}</section>"
        for tag, group in groups
    )
    types = "".join(_render_schema(name, schemas[name]) for name in sorted(schemas))
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(info["title"])}: HTTP interface</title>
<style>{_STYLE}</style>
<div class="layout">
<nav aria-label="Contents">{navigation}<h2>Reference</h2><ul>
<li><a href="#problems">Problems</a></li><li><a href="#types">Types</a></li></ul></nav>
<main>
<h1>HTTP interface <small>{escape(info["title"])} {escape(info["version"])}</small></h1>
<p>{_render_text(info["description"])}</p>
<p><a href="openapi.json">OpenAPI document</a></p>
{sections}
<section><h2 id="problems">Problems</h2>{_render_table(("name", "content", "description"), problems)}</section>
<section><h2 id="types">Types</h2>{types}</section>
</main>
</div>
</html>
"""


def _render_entry(operation: tuple[str, str, Mapping[str, Any]]) -> str:
    method, path, details = operation
    return (
        f'<li><a href="#{details["operationId"]}">{_render_method(method)}{escape(path.removeprefix("/api"))}</a></li>'
    )


def _render_method(method: str) -> str:
    return f'<span class="method {method}">{method}</span>'


def _render_operation(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Return the article of an operation: credentials, parameters, body, responses, problems and an example."""
    parts = [
        f'<article id="{operation["operationId"]}"><h3>{_render_method(method)}<span class="path">{escape(path)}</span>'
        f"</h3><p>{_render_text(operation['summary'])}.</p>",
        f'<p class="note">Credentials: {_describe_security(operation["security"])}</p>',
    ]
    if operation.get("parameters"):
        rows = (
            (
                _render_name(parameter["name"], is_required=parameter["required"]),
                escape(parameter["in"]),
                _render_type(parameter["schema"]),
                _render_text(parameter["description"]),
            )
            for parameter in operation["parameters"]
        )
        parts.append(f"<h4>Parameters</h4>{_render_table(('name', 'in', 'type', 'description'), rows)}")
    if "requestBody" in operation:
        parts.append(f"<h4>Body</h4><p>{_render_content(operation['requestBody'])}</p>")
    responses = operation["responses"].items()
    rows = (
        (escape(status), _render_content(response), _render_text(response["description"]))
        for status, response in responses
        if "$ref" not in response
    )
    parts.append(f"<h4>Responses</h4>{_render_table(('status', 'content', 'description'), rows)}")
    problems = ", ".join(escape(status) for status, response in responses if "$ref" in response)
    parts.append(f'<p class="note"><a href="#problems">Problems</a>: {problems}</p>')
    parts.append(f"<h4>Example</h4><pre>{escape(_build_example(method, path, operation))}</pre></article>")
    return "".join(parts)


def _render_schema(name: str, schema: Mapping[str, Any]) -> str:
    """Return the article of an object type, with a table of its fields."""
    required = schema.get("required", ())
    rows = (
        (
            _render_name(field, is_required=field in required),
            _render_type(field_schema),
            _render_text(field_schema.get("description", "")),
        )
        for field, field_schema in schema["properties"].items()
    )
    table = _render_table(("field", "type", "description"), rows)
    return f'<article id="type-{name}"><h3>{name}</h3><p>{_render_text(schema["description"])}</p>{table}</article>'


def _render_table(titles: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    head = "".join(f"<th>{title}</th>" for title in titles)
    body = "".join(f"<tr>{''.join(f'<td>{cell}</td>' for cell in row)}</tr>" for row in rows)
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def _render_name(name: str, *, is_required: bool) -> str:
    return f"<code>{escape(name)}{'' if is_required else '?'}</code>"


def _render_content(part: Mapping[str, Any]) -> str:
    contents = part.get("content", {}).items()
    return "<br>".join(f"{escape(media_type)}: {_render_type(content['schema'])}" for media_type, content in contents)


def _render_type(schema: Mapping[str, Any]) -> str:
    """Return a type in words, with links to other types; null among alternatives is omitted."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f'<a href="#type-{name}">{name}</a>'
    if "anyOf" in schema:
        return " or ".join(_render_type(part) for part in schema["anyOf"] if part != {"type": "null"})
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {_render_type(schema['items'])}"
    if isinstance(schema.get("additionalProperties"), dict):
        return f"object of {_render_type(schema['additionalProperties'])}"
    kind = schema.get("format") or schema.get("type", "any value")
    return f"{escape(kind)}{_describe_range(schema)}"


def _describe_range(schema: Mapping[str, Any]) -> str:
    """Return the maximum length, otherwise the range of values, to append to a type; empty without limits.

    A maximum of 2⁵³ - 1 or more counts as none, and a missing minimum as 0.
    """
    if "maxLength" in schema:
        return f", at most {schema['maxLength']:,} characters"
    low, high = schema.get("minimum"), schema.get("maximum")
    if high is not None and high < 2**53 - 1:
        return f" {low or 0:,}–{high:,}"
    return "" if low is None else f" ≥ {low:,}"


def _describe_security(security: Iterable[Mapping[str, Any]]) -> str:
    """Return the accepted credentials in words, such as `guest key (optional)`; `none` without any."""
    names = {"token": "token of an account", "guestKey": "guest key"}
    schemes = [names[name] for alternative in security for name in alternative]
    is_optional = {} in list(security)
    return (" or ".join(schemes) + (" (optional)" if is_optional else "")) if schemes else "none"


def _build_example(method: str, path: str, operation: Mapping[str, Any]) -> str:
    """Return a command line of curl for an operation, without query parameters.

    Path parameters have an example value or their name in capitals. The command has a token if the operation accepts
    one, otherwise no credentials. A body is a form with a file, or the placeholder `{…}`.
    """
    for parameter in operation.get("parameters", ()):
        name = parameter["name"]
        if parameter["in"] == "path":
            path = path.replace(f"{{{name}}}", str(_EXAMPLES.get(name, name.upper())))
    options = [] if method == "GET" else [f"-X {method}"] if method != "POST" else []
    if {"token": []} in operation["security"]:
        options.append('-H "Authorization: Bearer $TOKEN"')
    content = operation.get("requestBody", {}).get("content", {})
    if "multipart/form-data" in content:
        options.append("-F room=tea -F file=@photo.jpg")
    elif content:
        options.append("--json '{…}'")
    return " ".join(["curl", *options, f'"$SERVER{path}"'])


def _render_text(text: str) -> str:
    """Return Markdown as HTML: code in backticks, links with `https` and paragraphs; other text is escaped."""
    html = _CODE.sub(r"<code>\1</code>", _LINK.sub(r'<a href="\2">\1</a>', escape(text)))
    return html.replace("\n\n", "</p><p>")
