"""Daily summary, weekly risk assessment, monthly review: what a centre learns from its journal. Never of persons."""
