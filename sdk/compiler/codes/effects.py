"""CV3xx: effects and storage. The format is `codes`'."""

ROWS = r"""
"""
