"""Test cells in a clean process, which asks the student's kernel for values only.

Standard library only: the fork server imports it for all its children.
"""
