"""The home API's OpenAPI, held to the server: every route is in it, and schemathesis finds no reply that
is not."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import CHECKS, load_all_checks
from starlette.routing import Route
from starlette.testclient import TestClient

from samsyn.interfaces.home_openapi import ALL, document

load_all_checks()
NAMES = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_schema_conformance",
)
HELD = [CHECKS.get_by_names([name])[0] for name in NAMES]


def test_every_route_is_told(client: TestClient) -> None:
    routes = {
        (route.path.replace(":int", ""), method.lower())
        for route in client.app.routes  # type: ignore[attr-defined]
        if isinstance(route, Route) and route.path != "/{path:path}"
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == {(does.path, does.method) for does in ALL}


@pytest.mark.parametrize("signed", [True, False], ids=["signed-in", "a-stranger"])
def test_schemathesis_finds_no_reply_that_is_not_told(
    client: TestClient, request: pytest.FixtureRequest, signed: bool
) -> None:
    if signed:
        request.getfixturevalue("signed_in")
    schema = schemathesis.openapi.from_dict(document())
    tried: list[str] = []

    def attempt(case: Any) -> None:
        reply = client.request(
            case.method,
            case.formatted_path,
            params=case.query or None,
            headers={k: v for k, v in (case.headers or {}).items() if k.lower() != "host"},
            **({"json": case.body} if isinstance(case.body, dict | list) else {}),
        )
        tried.append(case.path)
        open_to_all = case.path in ("/healthz", "/api/sign-in")
        assert signed or reply.status_code in (400, 401, 403, 404, 429) or open_to_all
        case.validate_response(reply, checks=HELD)

    for result in schema.get_all_operations():
        operation = result.ok()
        if (operation.path, operation.method) == ("/api/session", "delete"):
            continue  # the rest would be a stranger's

        @settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
        @given(case=operation.as_strategy())
        def tries(case: Any) -> None:
            attempt(case)

        tries()
    assert {does.path for does in ALL} == set(tried) | {"/api/session"}


def test_no_other_site_can_make_a_browser_act(signed_in: TestClient) -> None:
    """CSRF by every route that changes something: a form cannot set X-Samsyn, a script has an Origin."""
    acts = [does for does in ALL if does.method != "get"]
    assert len(acts) > 10
    for does in acts:
        path = does.path.replace("{jti}", "7f0c3a52-3a5e-4d7e-9a41-5f3f1d1f7a01")
        form = {"content-type": "application/x-www-form-urlencoded"}
        del signed_in.headers["x-samsyn"]
        plain = signed_in.request(does.method, path, headers=form, content=b"{}")
        assert (plain.status_code, plain.json()["error"]["code"]) == (403, "header"), path
        signed_in.headers["x-samsyn"] = "1"
        for origin in ("https://elsewhere.example", "null", "http://127.0.0.1:9999"):
            reply = signed_in.request(does.method, path, headers={"origin": origin}, json={})
            assert reply.status_code == 421, (path, origin)
        for host in ("elsewhere.example", "127.0.0.1.elsewhere.example:8440"):
            assert signed_in.request(does.method, path, headers={"host": host}).status_code == 421
    assert signed_in.get("/api/session").status_code == 200
