"""The portable request hash: the same 64 bits in Python, in DuckDB (``md5_number_lower``) and in any other language.

The hash of a text is the second half of ``md5(salt ‖ text)`` read as a little-endian unsigned number. It decides which
requests are sampled and which side of a ramp they are on, so it has to be computable anywhere and never change.
"""

from __future__ import annotations

import hashlib

WHOLE = 2**64
"""One more than the greatest hash: a threshold that every hash is below."""


def hash64(text: str, salt: str = "") -> int:
    """The portable hash of a text, in [0, 2**64).

    Compare such integers with integer thresholds: as a float64 the lower 11 bits would be lost.

    Example:
        >>> hash64("r-1") == hash64("-1", salt="r"), hash64("r-1") == hash64("r-2")
        (True, False)
    """
    digest = hashlib.md5((salt + text).encode("utf-8", "surrogatepass"), usedforsecurity=False).digest()
    return int.from_bytes(digest[8:16], "little")


def threshold(rate: float) -> int:
    """The integer that a share ``rate`` of hashes lies below: keep a text iff ``hash64(text) < threshold(rate)``.

    What is kept at a lower rate is kept at every higher one. 0 is never, 1 is always.

    Raises:
        ValueError: if ``rate`` is not in [0, 1].

    Example:
        >>> threshold(0.0), threshold(0.5) == 2**63, threshold(1.0) == WHOLE
        (0, True, True)
    """
    if not 0 <= rate <= 1:
        raise ValueError(f"rate: found {rate}, expected a number in [0, 1]")
    return int(rate * WHOLE)  # exact: a float times a power of two


def bucket(text: str, n: int = 32, salt: str = "") -> int:
    """Which of ``n`` equal buckets a text falls into, in [0, n).

    Use a salt of its own for every purpose, or a sample and an experiment arm become the same requests.

    Raises:
        ValueError: if ``n`` is less than 1.
    """
    if n < 1:
        raise ValueError(f"n: found {n}, expected at least 1 bucket")
    return hash64(text, salt) % n
