"""The whole system: four service processes on real servers."""
