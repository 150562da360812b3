"""Tests of moving a record to another store."""
