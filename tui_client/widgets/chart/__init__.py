"""Brushes for numbers over time: a plot with half cells and dots, a scale and its axis, sparklines."""
