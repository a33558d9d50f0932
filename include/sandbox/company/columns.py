"""A table of numpy columns that grows at its end."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class Columns:
    """Named columns of one length; appending is cheap because room is doubled when it runs out."""

    def __init__(self, **kinds: str | type) -> None:
        self._columns: dict[str, Array] = {name: np.empty(64, dtype=kind) for name, kind in kinds.items()}
        self.count = 0

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, name: str) -> Array:
        """The column itself, not a copy: writing into it changes the table."""
        return self._columns[name][: self.count]

    def append(self, **values: Any) -> Array:
        """Appends rows, one value or one array per column, and returns the new rows' numbers."""
        added = max((len(value) for value in values.values() if isinstance(value, np.ndarray)), default=1)
        end = self.count + added
        for name, column in self._columns.items():
            if end > len(column):
                column = np.concatenate([column, np.empty(max(end, len(column)), dtype=column.dtype)])
                self._columns[name] = column
            column[self.count : end] = values[name]
        numbers = np.arange(self.count, end)
        self.count = end
        return numbers

    def take(self, numbers: Array) -> list[dict[str, Any]]:
        """Reads rows as dictionaries of plain Python values."""
        names = list(self._columns)
        cells = [self._columns[name][numbers].tolist() for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*cells, strict=True)]
