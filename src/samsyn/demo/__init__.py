"""`samsyn demo`: three sovereign nodes on one machine, wholly in the exercise realm.

world.py    three homes with feeds, rules and each other's cards
cast.py     the node processes, and talking to them as their own users do
checks.py   each claim of the demo, as a check that can fail
play.py     the course of a demo from start to summary
"""
