"""Guided jobs: one Markdown file each, with the tools in order and the checks before anything that costs money."""
