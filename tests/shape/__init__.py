"""The laws of the house: each lists what breaks it, over the real tree, and over a wrong one to show that it can."""
