"""From measurement to bill: `profile` (measured; `live/` from a deployed stage), `traffic/` (what arrives), `prices/` (dated
prices), `cloud_assembly/` (what the templates deploy), `capacity` (what is needed), `lines/` (one file per priced thing),
`lane`, `model` and `container_model` (one lane's month), `compare` (both, and the crossover), then `reports/`.

Beside it: `simulation/` (a year of minutes), `optimize`, `schedule`, `sensitivity`, `surface` (questions asked of the same
model), `scenario` (all inputs in one file), `actuals/` (what was billed), `worked_examples/` (what others published)."""
