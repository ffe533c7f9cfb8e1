"""Statements: signed once, disclosed slot by slot (SD-JWT, RFC 9901).

`statement` is the thing itself, `sign` makes and checks it, `ladder` derives place and time from
coarse to fine, `marking` orders the handling labels, `keys` holds a node's keys, `store` keeps
what was said and what was received. What a body means is for `subjects`.
"""
