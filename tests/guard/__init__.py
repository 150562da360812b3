"""Tests of the guard layer."""
