"""What was billed, against what was estimated.

A bill's charges (`records`) come from exports (`exports`, SQL in `columns`) or from Cost Explorer (`cost_explorer`), are
tied to the estimate's lines (`mapping`), explained (`variance`) and carried to the end of the month (`forecast`). `calibration`
proposes what would have made the estimate right; nothing uses it unasked."""
