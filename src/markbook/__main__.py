"""``python -m markbook`` is the command ``markbook``."""

from markbook.cli.main import main

if __name__ == "__main__":
    main()
