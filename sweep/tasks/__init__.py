"""What is predicted, and how well: tasks, losses by row, objectives. Arrays in, numbers out."""
