"""The chaos run: mixed jobs while every process of the stack is killed at random."""
