"""Readers and writers of the on-disk formats. No torch and no MMEngine here: the harness uses them as well."""
