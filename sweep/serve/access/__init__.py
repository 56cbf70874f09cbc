"""Who asks, what they may do, and which requests are refused before anything is done."""
