"""One folder a detector: its definition, its code, its cases. None imports another."""
