"""Where recent answers are kept besides this process: a Redis or Valkey that many processes share.

`address.py` reads the setting's URL; `shared_store.py` is the core's `AnswerStore` over redis-py. The policy, what is fresh and
for how long, is the core's (`app/core/cache.py`).
"""
