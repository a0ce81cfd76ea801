"""Leaderboard pages from the ledger: statistics, tables, plots, pages. Reads records only."""
