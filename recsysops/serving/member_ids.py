"""Member ids as they are logged: keyed hashes, so that a log alone does not name anyone."""

from __future__ import annotations

import hashlib

LEAST_KEY_BYTES = 16


def keyed_id(member_id: str, key: bytes) -> str:
    """The member's name in the log: BLAKE2b of the id under a secret key, 128 bits as 32 hexadecimal digits.

    The same key gives the same name everywhere: hash the outcomes' member ids with it too, or they will not join.

    Example:
        >>> keyed_id("member-1", b"a key of 16 byte") == keyed_id("member-1", b"a key of 16 byte")
        True
    """
    return hashlib.blake2b(member_id.encode("utf-8", "surrogatepass"), key=key, digest_size=16).hexdigest()


def refuse_weak_key(key: bytes) -> None:
    """Refuse a key that could be guessed, or that BLAKE2b does not take.

    Raises:
        ValueError: if it is shorter than 16 bytes or longer than 64.
    """
    if not LEAST_KEY_BYTES <= len(key) <= hashlib.blake2b.MAX_KEY_SIZE:
        raise ValueError(
            f"member key: found {len(key)} bytes, expected {LEAST_KEY_BYTES} to {hashlib.blake2b.MAX_KEY_SIZE}; "
            "make one with secrets.token_bytes(32) and keep it out of the log's folder"
        )
