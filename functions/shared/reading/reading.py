"""How a file was read, for people and for those who write it again."""

from dataclasses import dataclass
from typing import Any, Literal, Self

COMMA = ","
SEPARATED = {",": "comma", ";": "semicolon", "\t": "tab", "|": "vertical bar"}
MARKS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}
_ENCODINGS = {"utf-8": "UTF-8", "utf-16-le": "UTF-16", "utf-16-be": "UTF-16", "windows-1252": "Windows-1252"}


@dataclass(frozen=True)
class Reading:
    """What a file turned out to be.

    Attributes:
        format: of the file
        encoding: Python's name of the encoding, for CSV and JSON lines
        delimiter: what separates the cells of a CSV file
        byte_order_mark: whether the text started with one
        sheet: the name of the workbook's sheet

    """

    format: Literal["csv", "xlsx", "jsonl"] = "csv"
    encoding: str = "utf-8"
    delimiter: str = COMMA
    byte_order_mark: bool = False
    sheet: str | None = None

    @property
    def described(self) -> str:
        """The words for people, as in "read as …"; empty for a CSV file as it should be."""
        if self.format == "xlsx":
            return f"an Excel workbook, sheet '{self.sheet}'"
        kinds = ["JSON lines"] if self.format == "jsonl" else []
        if self.format == "csv" and self.delimiter != COMMA:
            kinds = [f"{SEPARATED[self.delimiter]}-separated"]
        if self.encoding != "utf-8":
            kinds.append(_ENCODINGS[self.encoding])
        return ", ".join(kinds)

    def as_json(self) -> dict[str, Any]:
        """Return the attributes and the words, for the state and validation.json."""
        return {**vars(self), "described": self.described}

    @classmethod
    def of_json(cls, document: dict[str, Any]) -> Self:
        """Return what `as_json` was made of."""
        return cls(**{key: value for key, value in document.items() if key != "described"})
