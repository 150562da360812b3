"""Tests of the clients layer."""
