"""The project: settings, addresses, logs, system checks. Nothing of the domain."""
