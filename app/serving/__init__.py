"""The container lane's processes: a small supervisor and its workers, each one uvicorn on one event loop.

`supervisor.py` starts, watches and replaces workers and knows nothing of HTTP; `worker.py` serves; `messages.py` is the line
between them. How it behaves: docs/serving.md.
"""
