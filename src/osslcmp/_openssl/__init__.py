"""The door to C: loading, error queue, ownership, conversions, callbacks, names, inputs, keys, providers, TLS."""
