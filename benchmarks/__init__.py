"""Benchmarks of osslcmp against C; see README.md."""
