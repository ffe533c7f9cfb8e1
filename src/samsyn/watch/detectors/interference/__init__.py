"""Interference with satellite navigation, seen in what craft say of their own position."""
