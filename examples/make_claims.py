"""Makes the sample claims: examples/claims_train.csv and examples/claims_predict.csv.

Invented warranty claims of an invented maker, put together from the words in phrases.toml. The same seed
gives the same bytes. They are made to be about as awkward as real ones: several ways of writing, typos,
claims that name two faults, vague ones, wrong labels, and a few rows that are broken.

    python examples/make_claims.py [FOLDER]
"""

import csv
import datetime
import io
import random
import re
import sys
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SEED = 20240229
HEADER = ["claim_id", "date", "product", "description", "category"]
CHOICE = re.compile(r"\[([^\[\]]*)\]")
SLOT = re.compile(r"\{(since|often|span|n|pct|code)\}")
KEYBOARD = {
    "a": "s",
    "e": "r",
    "i": "o",
    "o": "p",
    "n": "m",
    "t": "z",
    "s": "d",
    "r": "t",
    "l": "k",
    "c": "v",
}
SHORT = {
    "please": "pls", "because": "bc", "with": "w/", "without": "w/o", "minutes": "min", "hours": "hrs",
    "does not": "doesnt", "cannot": "cant", "and": "&", "customer": "cust", "you": "u", "replacement": "repl",
}  # fmt: skip
FOREIGN = [
    (r"\b(the|a|an) ", ""), (r"\bdoes not (\w+)", r"not \1s"), (r"\bdoesn't (\w+)", r"is not \1"),
    (r"\bthere (is|are)\b", "it have"), (r"\bmakes\b", "is make"), (r"\bmust\b", "must to"),
]  # fmt: skip

Phrases = dict[str, Any]
Row = list[str]


@dataclass(frozen=True)
class Kind:
    """How one file is made: its rows, first claim number and day, and the shares of awkward claims."""

    name: str
    rows: int
    first_id: int
    first_day: datetime.date
    days: int
    wrong_labels: float
    mixed: float = 0.05
    vague: float = 0.02
    off_topic: float = 0.0


TRAIN = Kind("train", 8000, 410_000, datetime.date(2023, 1, 2), 420, wrong_labels=0.01)
PREDICT = Kind("predict", 1200, 520_000, datetime.date(2024, 3, 1), 60, wrong_labels=0.03, off_topic=0.008)


def main(folder: Path) -> None:
    """Write both files into `folder`."""
    for kind in (TRAIN, PREDICT):
        path = folder / f"claims_{kind.name}.csv"
        path.write_bytes(make_file(kind))
        print(f"{path}: {kind.rows} claims")


def make_file(kind: Kind) -> bytes:
    """Return the file of one kind, as bytes: UTF-8, RFC 4180 quoting and line ends."""
    phrases = tomllib.loads((Path(__file__).parent / "phrases.toml").read_text(encoding="utf-8"))
    dice = random.Random(f"{SEED} {kind.name}")  # noqa: S311 - sample data, nothing secret
    rows = list(claims(kind, phrases, dice))
    for place, odd in zip(sorted(dice.sample(range(20, kind.rows), len(ODD_ROWS))), ODD_ROWS, strict=True):
        rows[place] = odd(rows[place])
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, *rows])
    return out.getvalue().encode("utf-8")


def claims(kind: Kind, phrases: Phrases, dice: random.Random) -> Iterator[Row]:
    """Yield the rows of one file, in the order of their dates."""
    products = [p for p in phrases["product"] if p.get("only_in", kind.name) == kind.name]
    weights = [p["weight"] for p in products]
    labels = {key: category["label"] for key, category in phrases["category"].items()}
    for number in range(kind.rows):
        product = dice.choices(products, weights)[0]
        category = pick_category(phrases, product, dice)
        text = Writer(phrases, product, category, dice).claim(kind)
        if dice.random() < kind.wrong_labels:
            category = dice.choice([c for c in product["categories"] if c != category])
        day = kind.first_day + datetime.timedelta(days=number * kind.days // kind.rows)
        claim_id = f"WC-{kind.first_id + 7 * number + dice.randrange(7)}"
        yield [claim_id, day.isoformat(), product["name"], text, labels[category]]


def pick_category(phrases: Phrases, product: Phrases, dice: random.Random) -> str:
    """Return one of the product's categories; some faults are commoner than others."""
    names: list[str] = product["categories"]
    return dice.choices(names, [phrases["category"][name]["weight"] for name in names])[0]


class Writer:
    """Writes one claim about one product and one fault."""

    def __init__(self, phrases: Phrases, product: Phrases, category: str, dice: random.Random) -> None:
        self.phrases, self.product, self.category, self.dice = phrases, product, category, dice
        self.call: str = dice.choice(product["calls"])

    def claim(self, kind: Kind) -> str:
        """Return the description: on topic nearly always, in one of seven ways of writing."""
        if self.dice.random() < kind.off_topic:
            return self.say(self.dice.choice(self.phrases["off_topic"]["any"]))
        names, shares = zip(*REGISTERS, strict=True)
        write: Callable[[Writer, Kind], str] = self.dice.choices(names, shares)[0]
        return write(self, kind)

    def story_of(self, kind: Kind, notes: bool = False) -> str:
        """Return what is wrong: one fault, two of which the first given is meant, or something vague."""
        roll = self.dice.random()
        if roll < kind.vague:
            return self.say(self.dice.choice(self.phrases["vague"]["notes" if notes else "clauses"]))
        if roll < kind.vague + kind.mixed:
            return self.two_faults(notes)
        return self.fault(self.category, notes)

    def two_faults(self, notes: bool) -> str:
        """Return two faults in one claim, either one first; the words around them tell which one is meant."""
        other = self.category
        while other == self.category:
            other = pick_category(self.phrases, self.product, self.dice)
        a, b = self.fault(self.category, notes), self.fault(other, notes)
        joins = self.phrases["joins"]
        form = self.dice.choice(joins["notes"] if notes else joins[self.dice.choice(["first", "second"])])
        return self.say(form).format(a=a, b=b, b_cap=capital(b))

    def fault(self, category: str, notes: bool = False) -> str:
        """Return one clause, or a technician's note, about a fault."""
        words = self.phrases["category"][category]
        if notes:
            return self.say(self.dice.choice(words["notes"]))
        return self.say(self.dice.choice(words.get("any", []) + words.get(self.product["kind"], [])))

    def say(self, pattern: str) -> str:
        """Return a pattern with its slots filled and one of each choice taken."""
        slots = self.phrases["slots"]
        text = SLOT.sub(lambda m: self.dice.choice(slots[m[1]]), pattern)
        text = SLOT.sub(lambda m: self.dice.choice(slots[m[1]]), text)
        while CHOICE.search(text):
            text = CHOICE.sub(lambda m: self.dice.choice(m[1].split("|")), text)
        return text.replace("{p}", self.call)

    def part(self, name: str) -> str:
        """Return an opening, a closing or another part that belongs to a way of writing."""
        return self.say(self.dice.choice(self.phrases["register"][name]))

    def typos(self, text: str, rate: float) -> str:
        """Return the text with some of its words mistyped."""
        return " ".join(mistype(w, self.dice) if self.dice.random() < rate else w for w in text.split(" "))


def plain(w: Writer, kind: Kind) -> str:
    """Return one sentence, sometimes with another that rules something out."""
    text = sentence(w.story_of(kind))
    if w.dice.random() < 0.3:
        text += " " + w.say(w.dice.choice(w.phrases["denials"]["any"]))
    return w.typos(text, 0.02)


def polite(w: Writer, kind: Kind) -> str:
    """Return a short letter."""
    return w.typos(join(w.part("polite_open"), sentence(w.story_of(kind)), w.part("polite_close")), 0.01)


def angry(w: Writer, kind: Kind) -> str:
    """Return an angry one, at times in capitals."""
    text = join(w.part("angry_open"), sentence(w.story_of(kind)), w.part("angry_close"))
    return w.typos(text.upper() if w.dice.random() < 0.2 else text, 0.03)


def story(w: Writer, kind: Kind) -> str:
    """Return a long one with what came before and what was tried."""
    parts = [w.part("story"), sentence(w.story_of(kind)), w.part("tried")]
    if w.dice.random() < 0.5:
        parts.insert(w.dice.choice([1, 2]), w.say(w.dice.choice(w.phrases["denials"]["any"])))
    return w.typos(join(*parts, w.part("polite_close")), 0.02)


def foreign(w: Writer, kind: Kind) -> str:
    """Return one by somebody whose first language is another."""
    text = w.story_of(kind)
    for old, new in FOREIGN:
        if w.dice.random() < 0.7:
            text = re.sub(old, new, text)
    return w.typos(join(w.part("foreign_open"), sentence(text), w.part("foreign_close")), 0.06)


def technician(w: Writer, kind: Kind) -> str:
    """Return a terse note from the workshop."""
    text = join(w.part("tech_open"), w.story_of(kind, notes=True) + ",", w.part("tech_close")).rstrip(",")
    return w.typos(text.lower() if w.dice.random() < 0.5 else text, 0.03)


def message(w: Writer, kind: Kind) -> str:
    """Return one typed on a phone: no capitals, abbreviations, many typos."""
    text = w.story_of(kind).lower()
    for long, short in SHORT.items():
        if w.dice.random() < 0.6:
            text = re.sub(rf"\b{long}\b", short, text)
    return w.typos(text + w.dice.choice(["", "", "!!", " pls help", " :(", " 😡", " thx", "??"]), 0.07)


REGISTERS = [
    (plain, 22),
    (polite, 20),
    (angry, 12),
    (story, 14),
    (foreign, 10),
    (technician, 12),
    (message, 10),
]


def mistype(word: str, dice: random.Random) -> str:
    """Return the word with two letters swapped, one left out, one doubled or one from the next key."""
    if len(word) < 4 or not word.isalpha():
        return word
    at = dice.randrange(1, len(word) - 1)
    how = dice.randrange(4)
    middle = [word[at + 1] + word[at], word[at + 1], word[at] * 2 + word[at + 1]]
    middle.append(KEYBOARD.get(word[at], word[at]) + word[at + 1])
    return word[:at] + middle[how] + word[at + 2 :]


def capital(text: str) -> str:
    """Return the text with its first letter in upper case and the rest as it is."""
    return text[:1].upper() + text[1:]


def sentence(text: str) -> str:
    """Return the text as a sentence: a capital first, a full stop last."""
    return capital(text) if text.endswith((".", "!", "?")) else capital(text) + "."


def join(*parts: str) -> str:
    """Return the parts that say something, with a space between."""
    return " ".join(part for part in parts if part)


# The odd rows. The first six are broken, to be told by their lines; the others are fine, to get through.
ODD_ROWS: list[Callable[[Row], Row]] = [
    lambda row: [*row[:3], "", row[4]],
    lambda row: [*row[:4], ""],
    lambda row: [*row, "left over", "and more"],
    lambda row: row[:3],
    lambda row: [*row[:3], "   ", row[4]],
    lambda row: [row[0]],
    lambda row: [*row[:3], f"1) {row[3]}\n2) see above\n\nThank you", row[4]],
    lambda row: [*row[:3], f"Señor Muñoz, Größe XL, naïve café: {row[3]} 🙏🔧", row[4]],
    lambda row: [*row[:3], f"Здравствуйте! {row[3]} 保証期間内です。", row[4]],
    lambda row: [*row[:3], f'=HYPERLINK("http://example.com","claim") {row[3]}', row[4]],
    lambda row: [*row[:3], f"- {row[3]}", row[4]],
    lambda row: [*row[:3], f'"{row[3]}", she said, "and that is all"', row[4]],
]


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
