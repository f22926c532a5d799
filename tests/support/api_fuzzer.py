"""Requests that Schemathesis generates from the OpenAPI document of a running server.

`python -m tests.support.api_fuzzer` reads a `FuzzPlan` as JSON from standard input. A response that contradicts the
document, or a status 5xx, ends the process with the failure. The requests are the same in each run.
"""

import sys
from collections import Counter
from contextlib import suppress
from itertools import product
from typing import Any

import msgspec
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import Unsatisfiable
from requests import Session
from schemathesis import checks as common_checks
from schemathesis.specs.openapi import checks as openapi_checks

_common_checks: Any = common_checks  # functions without complete types
_openapi_checks: Any = openapi_checks
_CHECKS: list[Any] = [
    _common_checks.not_a_server_error,
    _openapi_checks.status_code_conformance,
    _openapi_checks.content_type_conformance,
    _openapi_checks.response_headers_conformance,
    _openapi_checks.response_schema_conformance,
    _openapi_checks.ignored_auth,
]


class FuzzPlan(msgspec.Struct):
    """Parameters of a run.

    Attributes:
        url: Base URL of the server.
        examples: Maximum number of requests by name of the operation, for each combination of valid or invalid data and
            given or generated parameters; 0 for no requests.
        tokens: Tokens by name of the operation; an operation may delete its account.
        paths: Values of the path parameters by name of the operation, for requests that reach an existing object.
        queries: Values of the query parameters for the same requests.
        lenient: Names of the operations that accept more than the document says.
    """

    url: str
    examples: dict[str, int]
    tokens: dict[str, str]
    paths: dict[str, dict[str, str]]
    queries: dict[str, dict[str, str]]
    lenient: list[str]


def main() -> None:
    """Send the requests of a plan, and print the number of responses by operation and status."""
    plan = msgspec.json.decode(sys.stdin.buffer.read(), type=FuzzPlan)
    schema: Any = schemathesis.openapi.from_url(f"{plan.url}/api/openapi.json")
    counts: dict[str, Counter[int]] = {}
    with Session() as session:
        for result in schema.get_all_operations():
            operation = result.ok()  # raises for an invalid document
            name = operation.definition.raw["operationId"]
            if plan.examples[name]:
                counts[name] = Counter()
                fixed = {"path_parameters": plan.paths.get(name), "query": plan.queries.get(name)}
                for mode, parameters in product(schemathesis.GenerationMode, (fixed, {})):
                    strategy = operation.as_strategy(generation_mode=mode, **parameters)
                    _send_requests(plan, session, strategy, name, counts[name])
    sys.stdout.buffer.write(msgspec.json.encode(counts))


def _send_requests(plan: FuzzPlan, session: Session, strategy: Any, name: str, statuses: Counter[int]) -> None:
    checks = _CHECKS if name in plan.lenient else [*_CHECKS, _openapi_checks.negative_data_rejection]
    headers = {"Authorization": f"Bearer {plan.tokens[name]}"}

    @settings(
        max_examples=plan.examples[name],
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list[Any](HealthCheck),
    )
    @given(case=strategy)
    def send(case: Any) -> None:
        response = case.call_and_validate(base_url=plan.url, session=session, headers=headers, checks=checks)
        statuses[response.status_code] += 1

    with suppress(Unsatisfiable):  # no invalid data exists without parameters and body
        send()


if __name__ == "__main__":
    main()
