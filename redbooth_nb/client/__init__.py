"""The app: what a program that uses Redbooth has to do. Runs without Jupyter."""
