"""Benchmarks of what travellers and operators wait for. Run with `python -m benchmarks`; they are not tests."""
