"""The HTTP API: what one may ask without a connection to the gateway."""
