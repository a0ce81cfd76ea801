"""What a user asked for and cannot have: the command line exits with 2 for it, with 1 for everything else that goes wrong."""


class BadUsage(ValueError):
    """An option or argument whose value is of no use; the message names it and, where there are any, the valid choices."""
