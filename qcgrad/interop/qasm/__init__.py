"""The reader of OpenQASM 2 and 3: text to statements, statements to gates."""
