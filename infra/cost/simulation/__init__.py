"""What a year of traffic does to each lane, minute by minute: what is paid for, and which minutes miss the objective.

    traffic -> arrivals (trailing maxima, sorted once) -> fleet | functions -> lanes × instance types × draws -> outcome

A fleet that follows its load has, at any minute, what the highest load of the last minutes asked for: that is a trailing
maximum of the traffic, the same for every instance type and every draw. So the minutes are sorted once, and each fleet is
read off the sorted minutes exactly, instead of being walked through them (`benchmarks/simulation.py` compares the two).
Figures are floats: they are physics and bands of uncertainty; the bill itself stays with `infra.cost.model` in Decimal.
"""
