"""How every number was made, and how the paper's equations are interpreted."""

from reports.views.protocol.page import VIEW

__all__ = ["VIEW"]
