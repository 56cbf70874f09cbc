"""The pages that a browser shows, whole without JavaScript."""

from sweep.serve.pages import actions, entry, house, new, overview, sweep, trial

ROUTERS = tuple(one.router for one in (entry, overview, new, sweep, trial, house, actions))
"""All routes of the pages."""
