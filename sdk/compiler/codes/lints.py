"""CV9xx: lints, which fail nothing. The format is `codes`'."""

ROWS = r"""
"""
