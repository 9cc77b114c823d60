"""Money: demand → replicas → options → breakevens → a recommendation that names its path."""
