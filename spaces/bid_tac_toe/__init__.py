"""Bid Tac Toe: tic-tac-toe in which every mark is sold to the higher of two sealed bids."""

from spaces.bid_tac_toe.space import BidTacToe as BidTacToe
