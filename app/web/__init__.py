"""The HTTP face of the service, on FastAPI.

`query.py` turns a query string into a `SearchQuery`; `routes.py` answers; `errors.py` holds the one error shape;
`documentation.py` describes it all for `/docs`.
"""
