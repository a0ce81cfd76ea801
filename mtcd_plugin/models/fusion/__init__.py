"""Late fusion of modalities."""
