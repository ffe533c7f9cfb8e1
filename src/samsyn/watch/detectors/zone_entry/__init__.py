"""Zone entry: a craft's path comes into a zone."""
