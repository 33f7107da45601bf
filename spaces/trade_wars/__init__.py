"""Trade Wars: five seats trade the same unknown series, long or short, with money of their own."""

from spaces.trade_wars.space import TradeWars as TradeWars
