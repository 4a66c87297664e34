"""What happens to a function of the app when it is tried out: FUNCTION_SITUATION or, with values, FUNCTION."""
