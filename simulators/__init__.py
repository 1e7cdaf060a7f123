"""A village without hardware: real Modbus servers, lines, recorders and scenarios for tests, demo and trials."""
