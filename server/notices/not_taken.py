"""The error of a channel that did not take a notice."""


class NotTaken(Exception):
    """A channel did not take a notice. The message is the reason in a few words, without its URL and its answer."""
