"""Locking up what runs a student's code: see ``docs/explanation/isolation.md``.

``bwrap`` wraps the server that kernels are forked from; ``enter`` is what each forked child does
to itself before it runs anything; ``room`` is what its owner keeps of it; ``watchdog`` is the
server's eye on memory where no control group can be made; ``probe`` says what a machine can do.
"""
