"""Node to node: who the partners are, and how batches of their channels travel.

card      what two organisations swap out of band, and the words they compare
roster    the partners' cards, one file each
tls       this node's certificate; connections pinned to a partner's
signing   RFC 9421 signatures on requests: who asks, for whom, once
serve     what a partner can reach: its own channel and nothing else
pull      one thread a partner: wait, fetch, apply, cosign
link      the state of a link, in words for people
listen    an ASGI app on a port, in a thread of its own
"""
