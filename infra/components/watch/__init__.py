"""What is watched, and who is told: `metrics`, `alarm` and `catalogue` name it as plain data, `cost` turns usage into dollars
an hour, `widgets` and `dashboard` lay it out, `alarms` makes the alarms, `notices` and `budget` tell. Only the last three need
Node."""
