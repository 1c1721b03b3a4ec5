"""What objects look like to a caller: one file a room."""
