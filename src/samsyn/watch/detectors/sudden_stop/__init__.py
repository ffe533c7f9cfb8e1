"""A ship loses her way at once."""
