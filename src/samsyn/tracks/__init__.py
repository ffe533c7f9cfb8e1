"""Where every craft is now: one row of arrays a craft, and the frames that the picture draws."""
