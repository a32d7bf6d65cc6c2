"""The price book: `book` (what it holds), `file` (how it is kept), `diff` (what changed between two).

Making it anew from AWS: `wishes*` (what each price is in AWS's list), `downloads` (the list's files) or `asks`, `query` and
`plan_query` (its API), `depth` and `offers` (either, read as streams), `fees`, `plan_list`, `spot_history`, `refresh`."""
