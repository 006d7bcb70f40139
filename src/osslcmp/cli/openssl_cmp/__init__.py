"""``osslcmp cmp``: the options of ``openssl cmp`` on this library."""
