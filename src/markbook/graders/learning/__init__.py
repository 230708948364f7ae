"""Scores of short answers, learned from the marks that people have given.

Features need no mark; a prior is fitted on questions already marked; a Gaussian process learns
inside a question from the marks given so far. Scores in here are shares of the maximum, 0 to 1.
"""
