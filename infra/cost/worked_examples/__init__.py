"""Published worked examples, priced by the functions that price a bill: what the engine says beside what AWS and others state.

`reading` reads a file of examples, `inputs` hands out an example's fields, `functions`, `machines`, `network` and `usages`
price each kind, `kinds` names them all, `checking` compares. `docs/cost.md` has the form of the file.
"""
