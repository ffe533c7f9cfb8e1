"""Transparency logs in C2SP terms: opaque bytes in, proofs and signed checkpoints out.

`merkle` is the tree (RFC 6962), `note` signed notes, `checkpoint` a log's signed head, `witness`
cosignatures on it, `store` the logs themselves in SQLite. What entries mean is not known here.
"""
