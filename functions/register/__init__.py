"""Records a model in the registry and, when it goes live, publishes its files."""
