"""More or fewer craft in a zone than its own history explains."""
