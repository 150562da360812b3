"""Tests of the approval page."""
