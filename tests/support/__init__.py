"""What the tests share: a test PKI, the installed ``openssl`` as peer, and a raw socket server."""
