"""Summaries of studies, drawn: in a terminal, as pictures, as one HTML file, as LaTeX tables."""
