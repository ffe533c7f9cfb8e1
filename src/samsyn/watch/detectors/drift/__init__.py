"""Drift: a ship carried sideways by wind and current."""
