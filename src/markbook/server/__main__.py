"""``python -m markbook.server``: see ``markbook.server.standalone``."""

from __future__ import annotations

from markbook.server.standalone import main

if __name__ == "__main__":
    main()
