"""How the circuits were made: what is generated, exported, evaluated and checked."""
