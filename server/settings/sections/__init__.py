"""Sections of the settings that stand by themselves."""
