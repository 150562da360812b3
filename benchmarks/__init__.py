"""Programs that measure, compared within one run: `uv run python -m benchmarks`."""
