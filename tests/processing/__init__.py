"""Images and sounds as a model's inputs."""
