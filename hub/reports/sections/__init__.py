"""One section of a report a file: pure figures over what the journal said, and how they are laid out."""
