"""Enswitch: every function of its JSON API whose page is public, as operations.

Each module says what its functions do not offer: what was cut off their pages as we could read them, and settings whose
effect we know by nothing but a name, which nobody could describe to a model.
"""
