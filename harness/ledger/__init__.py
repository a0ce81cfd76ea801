"""Run records: one directory per run, one ``run.json``, one ``predictions.parquet``."""
