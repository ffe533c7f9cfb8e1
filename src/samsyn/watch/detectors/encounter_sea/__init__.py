"""Ships that meet: beside each other for hours on the open sea, or on courses that end in one place."""
