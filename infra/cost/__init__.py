"""From measurement to bill, one module a step: `profile` (measured), `traffic*` (what arrives), `prices` (dated prices),
`capacity` (what is needed), `lines/` (one file per priced thing), `lane` and `model` (one lane's month), `compare` (both,
and the crossover), then `report`, `terminal`, `html`, `charts` (the outputs)."""
