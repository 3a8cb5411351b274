"""What runs on a host: sent there over stdin, standard library only, Python 3.9 or later.

Every activation can be cut off anywhere and repeated: what is on disk decides, nothing is remembered in memory."""
