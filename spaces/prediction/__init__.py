"""Prediction: five seats forecast what a series does next, and a proper scoring rule tells who knew."""

from spaces.prediction.space import Prediction as Prediction
