"""Networks that learn: tasks, networks, rules and optimisers by name, and the loop; what kinds of study share."""
