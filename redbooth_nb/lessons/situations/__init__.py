"""What happens to a function that is tried out: in code named FUNCTION_SITUATION or, with values, FUNCTION."""
