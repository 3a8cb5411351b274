"""Hosts on the operator's own machine: each a Debian with a real systemd, reached by ssh like any other host."""
