"""Measures the running server, as ratios within one run: `make bench`. Not part of the tests."""
