"""What touches the world: database, network, clock, telemetry."""
