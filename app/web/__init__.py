"""The HTTP face of the service, on Starlette (why not FastAPI: docs/decisions/).

`query.py` turns a query string into a `SearchQuery`; `routes.py` answers; `errors.py` holds the one error shape;
`documentation.py` describes it all for `/docs`.
"""
