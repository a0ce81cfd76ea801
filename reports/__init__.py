"""Leaderboard pages from the ledger: statistics, tables, plots, pages. Reads records only."""

from reports.site.build import build

__all__ = ["build"]
