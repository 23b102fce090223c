"""Ophør in containers: the parts of a local stack (`parts.yml`), and what one host needs for `docker-compose.yml`."""
