"""Reaching the stack's hosts by OpenSSH: its configuration, connections that stay open, ports that lead there."""
