"""Positions and speeds that cannot be: jumps, impossible speeds, frozen, circling, far away."""
