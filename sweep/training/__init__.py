"""Carries out assignments: builds the model, trains it, records every epoch, keeps its state."""
