"""One module a subcommand of `crossover`, each exposing a click command named `command`. Thin: parse, call, print."""
