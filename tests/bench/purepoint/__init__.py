"""What the benches and the shows stand on: a home of their own, the daemon's socket, libraries of specs, figures.

Python's standard library only. Nothing here knows what is being measured.
"""
