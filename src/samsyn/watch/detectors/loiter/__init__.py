"""A ship stays where ships do not stay: hardly moving for hours, or to and fro over a cable."""
