"""The client: what a program that uses Redbooth has to do, without Jupyter. The map is README.md in this folder."""
