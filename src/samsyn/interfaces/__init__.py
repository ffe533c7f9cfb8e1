"""What people and other systems reach: today the home API and the picture.

Two route trees, two objects: `home` is built from a `Desk` and is for the organisation's own
signed-in users; what partners reach is built by `exchange` from one reader's channel.
"""
