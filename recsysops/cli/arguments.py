"""Where the words of a command stand: people type ``--json`` before the verb and after it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

FLAGS = frozenset({"--json", "--quiet", "-q", "--verbose", "-v", "--no-color", "--debug", "--version"})
WITH_VALUE = frozenset({"--workspace", "-w", "--env", "--brand"})


def hoisted(argv: Sequence[str]) -> list[str]:
    """The same words with the global options first, in their order; everything after ``--`` stays where it is.

    Example:
        >>> hoisted(["detect", "--json", "--since", "90d", "-w", "here"])
        ['--json', '-w', 'here', 'detect', '--since', '90d']
    """
    front: list[str] = []
    rest: list[str] = []
    words = iter(argv)
    for word in words:
        if word == "--":
            rest += [word, *words]
        elif word in FLAGS or word.partition("=")[0] in WITH_VALUE - {word}:
            front.append(word)
        elif word in WITH_VALUE:
            front += [word, *_next(words)]
        else:
            rest.append(word)
    return front + rest


def _next(words: Iterator[str]) -> list[str]:
    """The following word, if there is one; its absence is the parser's to complain about."""
    value = next(words, None)
    return [] if value is None else [value]
