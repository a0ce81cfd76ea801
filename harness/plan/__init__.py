"""Cells to jobs: enumeration apart from execution."""
