"""A throw-away TAXII 2.1 server of another project, in that project's environment (`make peers-stix`).

python taxii_peers.py medallion|opentaxii FOLDER PORT

It says on one line, as JSON, where its one collection is, and serves until it is ended.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

COLLECTION = "91a7b528-80eb-42ed-a74d-c6fbd5a26116"
ROOM_BYTES = 1 << 30


def medallion(folder: Path, port: int) -> tuple[str, Any]:
    from medallion import application_instance, register_blueprints, set_config

    base = f"http://127.0.0.1:{port}"
    collection = {
        "id": COLLECTION,
        "title": "bench",
        "can_read": True,
        "can_write": True,
        "media_types": ["application/stix+json;version=2.1"],
        "manifest": [],
        "objects": [],
    }
    about = {"title": "bench", "versions": ["application/taxii+json;version=2.1"]}
    data = {
        "/discovery": {"title": "bench", "default": f"{base}/trust/", "api_roots": [f"{base}/trust/"]},
        "trust": {
            "information": {**about, "max_content_length": ROOM_BYTES},
            "status": [],
            "collections": [collection],
        },
    }
    file = folder / "data.json"
    file.write_text(json.dumps(data))
    backend = {"module": "medallion.backends.memory_backend", "module_class": "MemoryBackend"}
    settings = {
        "backend": {**backend, "filename": str(file)},
        "users": {"bench": "bench"},
        "taxii": {"max_page_size": 1_000},
    }
    for name in ("users", "taxii", "backend"):
        set_config(application_instance, name, settings)
    register_blueprints(application_instance)
    return f"{base}/trust/collections/{COLLECTION}/", application_instance


def opentaxii(folder: Path, port: int) -> tuple[str, Any]:
    import yaml
    from opentaxii.config import ServerConfig
    from opentaxii.middleware import create_app
    from opentaxii.server import TAXIIServer

    database = f"sqlite:///{folder}/data.db"
    settings = {
        "domain": f"127.0.0.1:{port}",
        "auth_api": {
            "class": "opentaxii.auth.sqldb.SQLDatabaseAPI",
            "parameters": {
                "db_connection": f"sqlite:///{folder}/auth.db",
                "create_tables": True,
                "secret": "of no worth",
            },
        },
        "taxii1": None,
        "taxii2": {
            "contact": "bench",
            "public_discovery": True,
            "max_content_length": ROOM_BYTES,
            "persistence_api": {
                "class": "opentaxii.persistence.sqldb.Taxii2SQLDatabaseAPI",
                "parameters": {"db_connection": database, "create_tables": True},
            },
        },
        "logging": {"opentaxii": "error", "root": "error"},
    }
    file = folder / "opentaxii.yml"
    file.write_text(yaml.safe_dump(settings))
    server = TAXIIServer(ServerConfig(extra_configs=[str(file)]))
    app = create_app(server)
    manager = server.servers.taxii2.persistence
    with app.app_context():
        root = manager.api.add_api_root(title="bench", is_public=True)
        made = manager.api.add_collection(
            api_root_id=root.id, title="bench", is_public=True, is_public_write=True
        )
    return f"http://127.0.0.1:{port}/taxii2/{root.id}/collections/{made.id}/", app


def main(name: str, folder: Path, port: int) -> None:
    from werkzeug.serving import run_simple

    # OpenTAXII's reply to a POST holds UUIDs, which the Flask that it runs on does not write
    json.JSONEncoder.default = lambda _, one: str(one)  # type: ignore[method-assign]

    url, app = {"medallion": medallion, "opentaxii": opentaxii}[name](folder, port)
    sys.stdout.write(json.dumps({"url": url}) + "\n")
    sys.stdout.flush()
    run_simple("127.0.0.1", port, app, threaded=True)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), int(sys.argv[3]))
