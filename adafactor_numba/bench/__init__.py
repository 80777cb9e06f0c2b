"""How fast, how small and how accurate a step is, beside the other Adafactors."""
