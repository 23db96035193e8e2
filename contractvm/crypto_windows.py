"""Scalars as signed digits of a window, for multiplying points of either curve.

Source: Guide to Elliptic Curve Cryptography, algorithm 3.35 (width-w NAF). Never: constant time.
"""

from __future__ import annotations


def signed_digits(scalar: int, width: int) -> list[int]:
    """Digits d with scalar = sum(d[i] << i): each is 0 or odd and below 2**(width - 1) in size.

    Of `width` neighbours at most one is not 0. `scalar` is not negative; of 0 there are no digits.
    """
    digits = [0] * (scalar.bit_length() + 1) if scalar else []
    whole, half, position = 1 << width, 1 << width - 1, 0
    while scalar:
        zeros = (scalar & -scalar).bit_length() - 1
        scalar >>= zeros
        position += zeros
        digit = scalar & whole - 1
        if digit >= half:
            digit -= whole
        digits[position] = digit
        scalar -= digit
    return digits
