"""What the paper says, held against the runs."""

from reports.views.evidence.page import VIEW

__all__ = ["VIEW"]
