"""Methods that run a preparation and its inverse many times within one circuit."""
