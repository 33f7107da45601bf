"""The screen of the court: a panel as it is drawn, commits and reveals, and what it found."""
