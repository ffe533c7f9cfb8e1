"""Emergency: a craft or a beacon calls for help by its transponder."""
