"""A workbook that computes the bill: change an input, a rate or a price, and every total follows.

Each sheet is a module: `inputs`, `prices`, `traffic` (hours and steps), `workings` (what a search and a month need), `lines`
(the bill, by the formulas of `quantities`), `totals`. `sheet` holds what they are written with, `build` puts them together.

The formulas say again, in a spreadsheet's words, what `capacity`, `lane`, `model` and `surroundings` compute; tests recalculate
the workbook and hold it against them to the cent. Beside each formula stands the engine's value, for programs that only read. A
line whose quantity has no formula here is written as a value and marked as one.
"""
