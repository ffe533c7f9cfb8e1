"""Ids carry nothing but chance; names are safe wherever they are put."""

from __future__ import annotations

import uuid

import pytest

from samsyn.base.ids import is_id, is_node_name, new_id


def test_ids_are_random_uuids() -> None:
    made = [new_id() for _ in range(200)]
    assert len(set(made)) == 200
    assert all(is_id(one) and uuid.UUID(one).version == 4 for one in made)
    assert made != sorted(made)  # no order in them


AN_ID = "5f0c6a0e-9d3b-4c7a-8f27-0d7c1b7b2a11"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        AN_ID.upper(),
        f"{{{AN_ID}}}",
        AN_ID.replace("-", ""),
        f"{AN_ID} ",
        f"{AN_ID}\n",
        f"urn:uuid:{AN_ID}",
    ],
)
def test_only_one_spelling_is_an_id(text: str) -> None:
    assert not is_id(text)


@pytest.mark.parametrize("name", ["dk", "se-west", "n1", "a" * 31])
def test_node_names(name: str) -> None:
    assert is_node_name(name)


@pytest.mark.parametrize(
    "name", ["", "DK", "1a", "-a", "a_b", "a/b", "..", "a.b", "å", "a" * 32, "a\n", "a b"]
)
def test_names_that_could_mean_something_else(name: str) -> None:
    assert not is_node_name(name)
