"""Say in one line when this Python is too old; runs on any Python 3."""

import sys

if sys.version_info < (3, 11):
    sys.exit(
        "error: Markbook needs Python 3.11 or newer, this is %d.%d."
        " Name another one: make demo PYTHON=python3.11" % sys.version_info[:2]
    )
