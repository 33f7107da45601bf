"""Trade Wars: the candles, and under them the desk with positions and money."""
