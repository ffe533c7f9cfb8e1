"""OpenAPI 3.0 of the features (`interfaces.ogc`), for programs that read it."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

Object = dict[str, Any]


@lru_cache(maxsize=8)
def openapi(title: str) -> Object:
    """The document of the server whose paths begin with `/ogc`."""
    item = _path("One feature", "Feature", "application/geo+json", [_name("collection"), _name("id")])
    return {
        "openapi": "3.0.3",
        "info": {"title": title, "version": "1.0.0", "license": {"name": "Apache-2.0"}},
        "servers": [{"url": "/ogc"}],
        "security": [{"token": []}, {"basic": []}],
        "paths": {
            "/": _path("Landing page", "Landing"),
            "/conformance": _path("What is conformed to", "Conformance"),
            "/api": _path("This document", "Any", "application/vnd.oai.openapi+json"),
            "/collections": _path("All collections", "Collections"),
            "/collections/{collection}": _path(
                "One collection", "Collection", parameters=[_name("collection")]
            ),
            "/collections/{collection}/items": _path(
                "Features", "Features", "application/geo+json", [_name("collection"), *_filters()]
            ),
            "/collections/{collection}/items/{id}": item,
        },
        "components": {
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
            "schemas": _schemas(),
        },
    }


def _path(
    summary: str, schema: str, type_: str = "application/json", parameters: list[Object] | None = None
) -> Object:
    shown = {"schema": {"$ref": f"#/components/schemas/{schema}"}}
    problem = {"schema": {"$ref": "#/components/schemas/Problem"}}
    text = {"schema": {"type": "string"}}
    replies: Object = {
        "200": {"description": summary, "content": {type_: shown, "text/html": text}},
    }
    for status in ("400", "401", "404", "405", "429", "503"):
        replies[status] = {
            "description": "Nothing of what was asked",
            "content": {"application/problem+json": problem},
        }
    f = _query("f", {"type": "string", "enum": ["json", "html"]})
    return {
        "get": {
            "summary": summary,
            "parameters": [*(parameters or []), *([] if schema in ("Any",) else [f])],
            "responses": replies,
        }
    }


def _filters() -> list[Object]:
    number = {"type": "number"}
    return [
        _query("bbox", {"type": "array", "items": number, "minItems": 4, "maxItems": 6})
        | {"explode": False},
        _query("datetime", {"type": "string"}),
        # more than the server gives at once is asked for in vain, and not wrong (17-069r4, 7.15.2)
        _query("limit", {"type": "integer", "minimum": 1, "default": 10}),
        _query("at", {"type": "integer", "minimum": 0}),
    ]


def _query(name: str, schema: Object) -> Object:
    return {"name": name, "in": "query", "required": False, "schema": schema}


def _name(name: str) -> Object:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _schemas() -> Object:
    text = {"type": "string"}
    link = {
        "type": "object",
        "required": ["href", "rel"],
        "properties": {"href": text, "rel": text, "type": text},
    }
    links = {"type": "array", "items": {"$ref": "#/components/schemas/Link"}}
    feature = {
        "type": "object",
        "required": ["type", "id", "geometry", "properties"],
        "properties": {
            "type": {"type": "string", "enum": ["Feature"]},
            "id": text,
            "geometry": {"type": "object", "nullable": True},
            "properties": {"type": "object"},
            "links": links,
        },
    }
    collection = {
        "type": "object",
        "required": ["id", "links"],
        "properties": {"id": text, "title": text, "description": text, "links": links},
    }
    features = {
        "type": "object",
        "required": ["type", "features"],
        "properties": {
            "type": {"type": "string", "enum": ["FeatureCollection"]},
            "features": {"type": "array", "items": {"$ref": "#/components/schemas/Feature"}},
            "numberReturned": {"type": "integer"},
            "links": links,
        },
    }
    return {
        "Any": {"type": "object"},
        "Link": link,
        "Landing": {"type": "object", "required": ["links"], "properties": {"links": links}},
        "Conformance": {
            "type": "object",
            "required": ["conformsTo"],
            "properties": {"conformsTo": {"type": "array", "items": text}},
        },
        "Collection": collection,
        "Collections": {
            "type": "object",
            "required": ["links", "collections"],
            "properties": {
                "links": links,
                "collections": {"type": "array", "items": {"$ref": "#/components/schemas/Collection"}},
            },
        },
        "Feature": feature,
        "Features": features,
        "Problem": {
            "type": "object",
            "required": ["title", "status"],
            "properties": {"type": text, "title": text, "status": {"type": "integer"}},
        },
    }
