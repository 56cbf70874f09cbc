"""What commands and the Python interface do to a stored sweep: each verb once, no words printed."""
