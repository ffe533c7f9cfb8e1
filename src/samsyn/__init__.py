"""Samsyn: the node of a security network.

The flow, from the outside in and out again::

    feeds -> observations -> tracks -> watch -> findings          stays home
                                                   |
                                     desk: a person or a standing order signs
                                                   v
    subjects -> statements -> policy -> channels -> exchange      one door out
                                           |------> interfaces

Folder by folder, low to high (imports go down only; a test holds it):

    base          errors, clock, ids, geo, encoding, limits, settings, database
    formats       bytes <-> columns, pure            log           RFC 6962 log, C2SP notes
    statements    slots, ladders, marking, SD-JWT    observations  one schema, plausibility, Parquet
    feeds         one folder a source                tracks        the live state of each craft
    watch         runner and detectors               subjects      the kinds of statement
    policy        rules and decisions                channels      THE DOOR: release, withdraw, admit
    desk          the home organisation's side       exchange      node to node
    interfaces    the home API and the picture       node          the only wiring
    demo          three nodes to look at             sim           networks from one seed
    cli           the verbs
"""

__version__ = "0.1.0"
