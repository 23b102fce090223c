"""What Prometheus and Grafana need: where to look, when to wake somebody, what to show."""
