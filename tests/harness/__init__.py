"""Runs real Cassandra clusters and real Cherax servers for the system tests and the demo."""
