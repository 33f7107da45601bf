"""What owners make: agents, the specs of their versions, their words, their faces. Pure but for `improving`."""
