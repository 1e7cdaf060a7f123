"""The gateway: reads wires, judges them, rings its neighbours, and hands every record to the hub until receipted."""
