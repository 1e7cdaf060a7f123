"""A gateway's configuration: one TOML file, refused with every fault at once or taken whole."""

from edge.config.load import Bus, Config, Mqtt, load, parse
from edge.config.overrides import parse_set

__all__ = ["Bus", "Config", "Mqtt", "load", "parse", "parse_set"]
