"""The groups of a stage's settings: `lanes` (what runs), `edge` (what stands around it), `watch` (who is told). Each group
checks itself; `infra.config.Stage` holds one of each and checks what they must agree on."""
