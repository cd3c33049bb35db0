"""Makes docs/demo.svg from what a terminal showed.

Run the demo in a terminal of 110 columns (`tmux new -x 120 -y 70 -s demo`, then `make demo`) and, after it:
`tmux capture-pane -e -p -t demo | .venv/app/bin/python docs/picture.py > docs/demo.svg`.
"""

import io
import re
import sys

from rich.console import Console
from rich.text import Text

WIDTH = 120


def main() -> None:
    """Turn the terminal's text and colours on standard input into a picture on standard output."""
    console = Console(record=True, width=WIDTH, file=io.StringIO())
    for line in sys.stdin.read().rstrip().splitlines():
        console.print(Text.from_ansi(line), overflow="crop", no_wrap=True)
    picture = console.export_svg(title="make demo")
    sys.stdout.write(
        re.sub(r"\s*@font-face \{.*?\}", "", picture, flags=re.DOTALL)
    )  # no fonts from elsewhere


if __name__ == "__main__":
    main()
