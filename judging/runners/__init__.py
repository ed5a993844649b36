"""How a submission of each kind becomes predictions: one module a kind."""
