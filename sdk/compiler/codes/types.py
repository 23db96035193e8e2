"""CV2xx: types and names in bodies. The format is `codes`'."""

ROWS = r"""
"""
