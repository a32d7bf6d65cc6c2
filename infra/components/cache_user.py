"""Who the service is in its cache, and what it may do there: no more than `app/cache` asks. Needs no CDK."""

USER = "crossover"
ACCESS = "on ~crossover:* -@all +get +set"
NO_ACCESS = "off -@all"
PASSWORD_VARIABLE = "CROSSOVER_CACHE_PASSWORD"  # noqa: S105 - the name of a variable
