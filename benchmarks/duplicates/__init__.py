"""How well requests that repeat an open one are recognised, measured on a labelled set of pairs."""
