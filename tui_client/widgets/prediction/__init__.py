"""Prediction: the series with the fan of forecasts, and under it who said what and how it scored."""
