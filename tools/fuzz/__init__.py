"""The fuzzer of ``./dev fuzz``: messages of live sessions, changed and protected again, at whatever reads them."""
