"""What the profiles ask of a message and libcrypto does not check."""
