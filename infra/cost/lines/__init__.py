"""One file per priced thing. Each turns quantities into `LineItem`s; `line.py` holds the only arithmetic:
quantity × unit price, tier by tier. Quantities are of one month."""
