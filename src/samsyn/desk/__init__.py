"""The home organisation's side: what its own people see, say and sign.

Nothing here is reachable by a reader; `exchange` may not import it (a contract in pyproject.toml).
"""
