"""The report in words and files: header, table, verdict; terminal, JSON, CSV, Markdown."""
