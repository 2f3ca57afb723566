"""The DSM network: encoder, cost volume, coordinates, confidence."""
