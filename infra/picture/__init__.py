"""The architecture picture, drawn from a synthesized assembly: `python -m infra.picture CDK_OUT SVG`.

kinds.py   which resource types are shown, and what is said of each
graph.py   templates -> boxes with nodes, and edges from their references
drawing.py the graph -> places -> SVG, the same bytes for the same templates
"""
