"""The comparison in further formats: a workbook with live formulas (`workbook`), FOCUS rows (`focus`), Markdown, PDF."""
