"""The app: what a program that uses Redbooth has to do. Runs without Jupyter. The map is README.md in this folder."""
