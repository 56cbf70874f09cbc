"""The service: a queue of searches, an API and pages for them, in one process that never trains."""
