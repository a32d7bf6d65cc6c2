"""What arrives: `profile` (requests a second in equal steps), from a `series`, an `access_log` or a `shape`."""
