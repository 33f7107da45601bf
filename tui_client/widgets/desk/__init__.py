"""The owner's screens: a folder of painters, one for each page of the desk."""
