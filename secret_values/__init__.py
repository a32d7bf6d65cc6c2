"""Reads the secrets that `CROSSOVER_SECRET` names from AWS Secrets Manager, once, before the service starts.

    setting and region -> credentials -> one signed request each -> a JSON object of text values -> the environment

On Lambda `fetch.fill` puts the values into the process's environment; on an instance `python -m secret_values --write`
writes them for systemd. Either way a variable that the environment sets already wins over the secret, and the service reads
its environment as ever: it knows nothing of AWS. Standard library only, for every import lengthens a cold start.
"""
