"""Enswitch: every function of its JSON API whose page is public, as operations."""
