"""Tests of rules that are tried on the record."""
