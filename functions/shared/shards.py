"""Puts what failed shards said into words, those that said the same together; knows nothing of AWS."""

from collections.abc import Mapping

from contract.text import count

SHOWN = 3  # different sentences
NUMBERS = 5  # of shards with the same sentence
LOOKED_AT = 50  # of up to 10,000 shards few fail, and asking for each one's sentence would take minutes


def told(by_shard: Mapping[int, str], more: int = 0) -> str:
    """Return the different sentences of shards, as `Shards 0 and 3 were not labelled: The disk is full.`.

    Args:
        by_shard: the sentences by the shards' numbers; each names its shard
        more: how many shards failed beside these

    """
    alike: dict[str, list[int]] = {}
    for number, sentence in by_shard.items():
        alike.setdefault(sentence.replace(f"hard {number}", "hard {}", 1), []).append(number)
    shown = list(alike.values())[:SHOWN]
    rest = len(by_shard) + more - sum(map(len, shown))
    sentences = [_together(by_shard[numbers[0]], numbers) for numbers in shown]
    return " ".join([*sentences, *([f"And {count(rest, 'shard')} more."] if rest else [])])


def _together(sentence: str, numbers: list[int]) -> str:
    first = f"hard {numbers[0]}"
    if len(numbers) > 1:
        these = f"hards {_numbers(numbers)}"
        sentence = sentence.replace(f"{first} was ", f"{these} were ", 1).replace(f"{first}", these, 1)
    return sentence[:1].upper() + sentence[1:].rstrip(".") + "."


def _numbers(numbers: list[int]) -> str:
    hidden = len(numbers) - NUMBERS if len(numbers) > NUMBERS + 1 else 0
    shown = [str(number) for number in numbers[: NUMBERS if hidden else None]]
    if hidden:
        return f"{', '.join(shown)} and {hidden} more"
    return f"{', '.join(shown[:-1])} and {shown[-1]}"
