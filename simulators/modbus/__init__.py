"""Real Modbus units on real sockets and serial lines, made from profiles, that misbehave when told to."""

from simulators.modbus.faults import Fault, Refuse, Silent, Slow, Wrong
from simulators.modbus.serial import RtuServer
from simulators.modbus.tcp import TcpServer
from simulators.modbus.unit import SimUnit

__all__ = ["Fault", "Refuse", "RtuServer", "Silent", "SimUnit", "Slow", "TcpServer", "Wrong"]
