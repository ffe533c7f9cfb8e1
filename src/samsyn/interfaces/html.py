"""What an interface answers, for a person with a browser: one plain page without script."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from starlette.responses import Response

_WORDS: Final = {
    "en": {"links": "Links", "features": "Features", "none": "Nothing here."},
    "sv": {"links": "Länkar", "features": "Objekt", "none": "Här finns inget."},
}
_HEADERS: Final = {
    "cache-control": "no-store",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
}


def page(told: Mapping[str, Any], title: str, languages: str = "") -> Response:
    """`told` as a page in English, or in Swedish where `languages` (Accept-Language) begins with it."""
    language = "sv" if languages.strip().lower().startswith("sv") else "en"
    words = _WORDS[language]
    head = str(told.get("title", title))
    parts = [f"<h1>{escape(head)}</h1>"]
    if told.get("description"):
        parts.append(f"<p>{escape(str(told['description']))}</p>")
    if "features" in told:
        parts.append(f"<h2>{words['features']}</h2>")
        parts += [_feature(one) for one in told["features"]] or [f"<p>{words['none']}</p>"]
    elif told.get("type") == "Feature":
        parts.append(_feature(told))
    for one in told.get("collections", ()):
        parts.append(f"<h2>{escape(one['title'])}</h2><p>{escape(one['description'])}</p>")
        parts.append(_links(one["links"]))
    for name in told.get("conformsTo", ()):
        parts.append(f"<p>{escape(name)}</p>")
    if told.get("links"):
        parts.append(f"<h2>{words['links']}</h2>{_links(told['links'])}")
    body = (
        f'<!doctype html><html lang="{language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(head)}</title></head>'
        f"<body>{''.join(parts)}</body></html>"
    )
    return Response(body, 200, _HEADERS, "text/html")


def _links(links: Any) -> str:
    shown = (f'<li><a href="{escape(one["href"])}">{escape(one["rel"])}</a></li>' for one in links)
    return f"<ul>{''.join(shown)}</ul>"


def _feature(one: Mapping[str, Any]) -> str:
    rows = "".join(
        f"<tr><th>{escape(str(name))}</th><td>{escape(str(value))}</td></tr>"
        for name, value in one["properties"].items()
    )
    return f"<h3>{escape(str(one['id']))}</h3><table>{rows}</table>"
