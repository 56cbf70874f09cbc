"""The pages that a browser shows, whole without JavaScript."""

from sweep.serve.pages import entry, overview

ROUTERS = (entry.router, overview.router)
"""All routes of the pages."""
