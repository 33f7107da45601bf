"""Benchmarks: each module's `run` measures the real code and says what bar it must meet."""
