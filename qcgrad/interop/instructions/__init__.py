"""What all importers make of a program: instructions with symbolic angles, assembled into a circuit and a map."""
