"""What crosses the wire between gateway and hub; imports nothing of ours."""
