"""Silence: a craft is not heard where others are."""
