"""An HTTP/1.1 client for a fan-out: `client.py` is an `httpx.AsyncClient` over a keep-alive pool of raw protocols.

    client.py      AcceleratedClient: what it accelerates, what it leaves to stock httpx; real `httpx.Response` objects
    message.py     a request as bytes: which URLs and header fields can be written as they are
    pool.py        one origin's connections: idle ones, exchanges that wait for one, opening more
    connection.py  one connection: writes a request, parses the answer (llhttp), one exchange at a time
    exchange.py    one request's life: the future its caller waits on, however many connections it is sent over
    decoding.py    gzip and deflate, capped on decoded bytes
    tls.py         one TLS context for all, resuming sessions

Why not a stock client: httpcore's pool looks at every connection on each request, and httpx builds a request in 150 µs; a
search makes forty (docs/benchmarks.md).
"""
