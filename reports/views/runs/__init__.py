"""The list of all runs, and a page for each of them."""

from reports.views.runs.page import VIEW

__all__ = ["VIEW"]
