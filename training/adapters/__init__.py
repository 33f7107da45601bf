"""What an adapter is as content: its weights, its card, its names, and the form that llama.cpp reads."""
