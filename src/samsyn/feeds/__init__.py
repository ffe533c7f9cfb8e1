"""Sources of observations, one folder a kind.

    source    bytes from a file, a connection, datagrams or a polled address, in bounded pieces
    framing   pieces to lines or documents
    KIND/     feed.toml (what it is), feed.py (bytes to columns), sample.* and expected.csv
    runner    finds the kinds, opens a feed, delivers marked batches and keeps the report
    pace      replays a recording in an exercise's time
    summary   what `samsyn feed try` says

To add a kind, add its folder: nothing else names it, and no kind knows another.
"""
