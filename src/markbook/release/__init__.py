"""Making the version of an assignment that students get, and publishing it."""

from markbook.release.build import ReleaseResult, build, publish, rehearse

__all__ = ["ReleaseResult", "build", "publish", "rehearse"]
