"""What happens to the functions of the learner's app when they are tried out, a module for each stage."""
