"""An anchor that is dragged: by a ship under way over a cable, or by one that it should hold."""
