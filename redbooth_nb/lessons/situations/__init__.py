"""What happens to the functions of the learner's app when they are tried out.

Each situation is a function here: FUNCTION_SITUATION or, where exercises.toml has its values as a case, FUNCTION.
"""
