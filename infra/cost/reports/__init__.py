"""The answer for its readers: `findings` and `assumptions` (said by every output), then `report` (JSON), `html` with `charts`,
`terminal`, `markdown`, `workbook/`, `focus`, `pdf`; `file` reads a report.json again, `diff` holds two against each other."""
