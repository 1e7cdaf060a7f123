"""Rules of correlation, one a file; the folder is the registry."""
