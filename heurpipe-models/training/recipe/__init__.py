"""How heurpipe's own small models are made: see ../README.md."""
