"""The HIGGS file: downloaded or imported, decompressed, parsed into rows."""
