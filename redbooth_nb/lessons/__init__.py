"""What makes the notebooks lessons: a way in, predictions, checks with hints, and errors explained."""
