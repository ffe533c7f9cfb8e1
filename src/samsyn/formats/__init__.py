"""Bytes to columns, one module a format. Pure: no clock, no disk, no network; only `base` is imported.

Every decoder takes bytes as they come and answers with a `decoded.Decoded`: columns named as in
`observations.schema`, counts, and what was wrong with what was refused.
"""
