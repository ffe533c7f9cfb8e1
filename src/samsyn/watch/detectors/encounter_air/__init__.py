"""Two aircraft closer than the civil minimum."""
