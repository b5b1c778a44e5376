"""Connected components over the numbers 0 … n − 1."""

from __future__ import annotations


class Components:
    """Union-find; the result does not depend on the order of joining.

    Example:
        >>> parts = Components(4)
        >>> parts.join(0, 2)
        >>> parts.lists()
        [[0, 2], [1], [3]]
    """

    def __init__(self, n: int) -> None:
        self._parent = list(range(n))

    def join(self, one: int, other: int) -> None:
        """Put both into one component, which is named by its least member."""
        low, high = sorted((self._root(one), self._root(other)))
        self._parent[high] = low

    def lists(self) -> list[list[int]]:
        """The components, each ascending, by their least members."""
        found: dict[int, list[int]] = {}
        for index in range(len(self._parent)):
            found.setdefault(self._root(index), []).append(index)
        return list(found.values())

    def _root(self, index: int) -> int:
        while self._parent[index] != index:
            self._parent[index] = self._parent[self._parent[index]]
            index = self._parent[index]
        return index
