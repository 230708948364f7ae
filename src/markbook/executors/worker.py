"""What a worker process imports before anything else."""

from __future__ import annotations

from markbook.startup import skip_slow_imports

__all__: list[str] = []

skip_slow_imports()
