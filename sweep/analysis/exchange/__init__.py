"""A sweep in other programs' files: Parquet, Optuna, TensorBoard."""
