"""Modbus, RTU and TCP: pure planning, decoding, back-off and reply matching; one engine that runs a bus."""
