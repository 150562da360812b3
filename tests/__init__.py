"""Tests are sentences about behaviour, told through the public door."""
