"""The pages that a browser shows, whole without JavaScript."""
