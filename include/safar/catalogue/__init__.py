"""What is declared: sources and campaigns, read from dbt YAML into frozen models."""
