"""Progressive cross-modal distillation (paper, sections 4.2 and 4.4)."""
